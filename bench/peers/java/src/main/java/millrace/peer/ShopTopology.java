package millrace.peer;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.state.Stores;

/**
 * The shop's core, cut into tasks as processors/shop-topology.ts cuts it:
 *
 *     interactions -> cleanse -> interactions.clean -+-> session step -(pair-steps)-> pairs, marginals
 *                                                    +-(by-product)-> product statistics
 *                                                    +-(by-user)----> user profiles
 *                                                    +-(by-session)-> session windows
 */
final class ShopTopology {
  private final StreamsBuilder builder = new StreamsBuilder();
  private final Serde<String> text = Serdes.String();
  private final Serde<Interaction> interaction;
  private final int partitions;

  static Topology build(Serde<Interaction> interaction, int partitions) {
    return new ShopTopology(interaction, partitions).build();
  }

  private ShopTopology(Serde<Interaction> interaction, int partitions) {
    this.interaction = interaction;
    this.partitions = partitions;
  }

  private Topology build() {
    store(Cleanse.SEEN, Serdes.Long(), Cleanse.TIMES);
    store(Products.STATS, text, ProductStats.SERDE);
    store(Products.HOURS, Products.ProductHour.SERDE, HourCounts.SERDE);
    store(Users.PROFILES, text, UserProfile.SERDE);
    store(Users.PRODUCTS, Users.UserProduct.SERDE, Users.Interest.SERDE);
    store(Sessions.SESSIONS, text, Session.SERDE);
    store(Sessions.TOTALS, text, PairTotals.SERDE);
    store(SessionWindows.WINDOWS, text, SessionWindow.SERDE);
    store(Pairs.MARGINALS, Pairs.Item.SERDE, Serdes.Long());
    store(Pairs.PAIRS, Pairs.Key.SERDE, Pairs.Count.SERDE);

    builder.stream("interactions", Consumed.with(text, interaction))
        .process(Cleanse::new, Named.as("cleanse"), Cleanse.SEEN)
        .to("interactions.clean", Produced.with(text, interaction));

    KStream<String, Interaction> clean = builder.stream("interactions.clean", Consumed.with(text, interaction));
    clean.process(Sessions::new, Named.as("session-step"), Sessions.SESSIONS, Sessions.TOTALS)
        .repartition(Repartitioned.<String, PairStep>as("pair-steps").withKeySerde(text)
            .withValueSerde(PairStep.SERDE).withNumberOfPartitions(partitions)
            .withStreamPartitioner(new Pairs.Owners()))
        .process(() -> new Pairs(partitions), Named.as("pair-rows"), Pairs.PAIRS, Pairs.MARGINALS);
    clean.selectKey((key, event) -> event.productId())
        .repartition(by("by-product"))
        .process(Products::new, Named.as("product-statistics"), Products.STATS, Products.HOURS);
    clean.filter((key, event) -> event.userId() != null)
        .selectKey((key, event) -> event.userId())
        .repartition(by("by-user"))
        .process(Users::new, Named.as("user-profiles"), Users.PROFILES, Users.PRODUCTS);
    clean.repartition(by("by-session"))
        .process(SessionWindows::new, Named.as("session-windows"), SessionWindows.WINDOWS);
    return builder.build();
  }

  private Repartitioned<String, Interaction> by(String name) {
    return Repartitioned.<String, Interaction>as(name)
        .withKeySerde(text).withValueSerde(interaction).withNumberOfPartitions(partitions);
  }

  private <K, V> void store(String name, Serde<K> key, Serde<V> value) {
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), key, value).withCachingEnabled());
  }
}
