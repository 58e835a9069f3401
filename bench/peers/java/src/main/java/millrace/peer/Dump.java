package millrace.peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/** The final state as NDJSON: a row a line, `store` says of which, the fields those of models/recompute/rows.ts. */
final class Dump {
  private final KafkaStreams streams;
  private final JsonGenerator json;

  static void write(KafkaStreams streams, Path file) throws IOException {
    try (JsonGenerator json = new JsonFactory().createGenerator(Files.newBufferedWriter(file))) {
      json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
      new Dump(streams, json).write();
    }
  }

  private Dump(KafkaStreams streams, JsonGenerator json) {
    this.streams = streams;
    this.json = json;
  }

  private interface Row<K, V> {
    void write(K key, V value) throws IOException;
  }

  /** Rows of all partitions that this instance has. */
  private <K, V> void rows(String store, Row<K, V> row) throws IOException {
    var type = QueryableStoreTypes.<K, V>keyValueStore();
    var view = streams.store(StoreQueryParameters.fromNameAndType(store, type));
    try (var all = view.all()) {
      while (all.hasNext()) {
        var next = all.next();
        json.writeStartObject();
        json.writeStringField("store", store);
        row.write(next.key, next.value);
        json.writeEndObject();
      }
    }
  }

  private void write() throws IOException {
    this.<String, ProductStats>rows(Products.STATS, this::productStats);
    this.<Products.ProductHour, HourCounts>rows(Products.HOURS, (key, counts) -> {
      json.writeStringField("productId", key.productId());
      json.writeNumberField("hour", key.hour());
      counts(counts, "revenue");
    });
    this.<String, UserProfile>rows(Users.PROFILES, this::userProfile);
    this.<Users.UserProduct, Users.Interest>rows(Users.PRODUCTS, (key, interest) -> {
      json.writeStringField("userId", key.userId());
      json.writeStringField("productId", key.productId());
      json.writeNumberField("refMs", interest.refMs());
      json.writeNumberField("weight", interest.weight());
    });
    this.<String, List<SessionWindow>>rows(SessionWindows.WINDOWS, this::sessionWindows);
    this.<String, PairTotals>rows(Sessions.TOTALS, (relation, totals) -> {
      json.writeStringField("relation", relation);
      json.writeNumberField("sessions", totals.sessions);
      numbers("rep", totals.rep);
      numbers("repN", totals.repN);
    });
    this.<Pairs.Item, Long>rows(Pairs.MARGINALS, (key, sessions) -> {
      json.writeStringField("relation", key.relation().label);
      json.writeStringField("item", key.item());
      json.writeNumberField("sessions", sessions);
    });
    this.<Pairs.Key, Pairs.Count>rows(Pairs.PAIRS, (key, pair) -> {
      json.writeStringField("relation", key.relation().label);
      json.writeStringField("item", key.item());
      json.writeStringField("neighbour", key.neighbour());
      json.writeNumberField("weight", pair.weight());
      json.writeNumberField("count", pair.count());
    });
  }

  private void productStats(String productId, ProductStats stats) throws IOException {
    json.writeStringField("productId", productId);
    String[] fields = {"views", "carts", "purchases", "returns", "favorites", "removes", "ratings"};
    for (int type = 0; type < fields.length; type++) json.writeNumberField(fields[type], stats.events[type]);
    json.writeNumberField("quantity", stats.quantity);
    json.writeNumberField("revenue", stats.revenue);
    json.writeNumberField("firstSeenMs", stats.firstSeenMs);
    json.writeNumberField("lastSeenMs", stats.lastSeenMs);
    json.writeBooleanField("service", stats.service);
    json.writeObjectFieldStart("trend");
    json.writeNumberField("refMs", stats.refMs);
    json.writeNumberField("fast", stats.fast);
    json.writeNumberField("slow", stats.slow);
    json.writeEndObject();
  }

  private void userProfile(String userId, UserProfile profile) throws IOException {
    json.writeStringField("userId", userId);
    counts(profile.counts, "spend");
    json.writeNumberField("firstSeenMs", profile.firstSeenMs);
    json.writeNumberField("lastSeenMs", profile.lastSeenMs);
    json.writeArrayFieldStart("recent");
    for (UserProfile.Recent product : profile.recent) {
      json.writeStartObject();
      json.writeStringField("productId", product.productId());
      json.writeNumberField("timestamp", product.timestamp());
      json.writeStringField("eventId", product.eventId());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void sessionWindows(String sessionKey, List<SessionWindow> windows) throws IOException {
    json.writeArrayFieldStart("windows");
    for (SessionWindow window : windows) {
      json.writeStartObject();
      json.writeStringField("sessionKey", sessionKey);
      json.writeNumberField("startMs", window.startMs);
      json.writeNumberField("endMs", window.endMs);
      json.writeStringField("userId", window.userId);
      counts(window.counts, "revenue");
      json.writeArrayFieldStart("products");
      for (var product : window.products.entrySet()) {
        json.writeStartObject();
        json.writeStringField("productId", product.getKey().productId());
        json.writeNumberField("hour", product.getKey().hour());
        json.writeNumberField("bits", product.getValue());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void counts(HourCounts counts, String money) throws IOException {
    json.writeNumberField("views", counts.views);
    json.writeNumberField("carts", counts.carts);
    json.writeNumberField("purchases", counts.purchases);
    json.writeNumberField("returns", counts.returns);
    json.writeNumberField("quantity", counts.quantity);
    json.writeNumberField(money, counts.revenue);
  }

  private void numbers(String field, long[] values) throws IOException {
    json.writeFieldName(field);
    json.writeArray(values, 0, values.length);
  }
}
