package millrace.peer;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serde;

/** A session window of a key; the row of `session-windows` is all of a key's (docs/architecture/shop.md). */
final class SessionWindow {
  static final Serde<List<SessionWindow>> SERDE = Bytes.serde(
      (windows, writer) -> windows.forEach(window -> window.write(writer)),
      reader -> {
        List<SessionWindow> windows = new ArrayList<>();
        while (!reader.atEnd()) windows.add(read(reader));
        return windows;
      });

  /** What was done with a product in one UTC hour. */
  record Product(String productId, long hour) implements Comparable<Product> {
    @Override
    public int compareTo(Product other) {
      int order = productId.compareTo(other.productId);
      return order == 0 ? Long.compare(hour, other.hour) : order;
    }
  }

  long startMs;
  long endMs;
  final HourCounts counts;
  /** Of the latest event that names one, by (timestamp, event id, user). */
  String userId;
  long userMs;
  String userEvent;
  /** Viewed 1, carted 2, purchased 4, added up. */
  final TreeMap<Product, Integer> products = new TreeMap<>();

  private SessionWindow(HourCounts counts) {
    this.counts = counts;
  }

  private static SessionWindow of(Interaction event) {
    var window = new SessionWindow(new HourCounts().add(event));
    window.startMs = event.timestamp();
    window.endMs = event.timestamp();
    window.userId = event.userId();
    window.userMs = event.timestamp();
    window.userEvent = event.eventId();
    int bit = switch (event.type()) {
      case VIEW -> 1;
      case CART -> 2;
      case PURCHASE -> 4;
      default -> 0;
    };
    if (bit > 0) window.products.put(new Product(event.productId(), event.timestamp() / 3_600_000), bit);
    return window;
  }

  /** The windows with one more event, in whatever order events come. They are ascending. */
  static List<SessionWindow> add(List<SessionWindow> windows, Interaction event) {
    var merged = of(event);
    List<SessionWindow> result = new ArrayList<>(windows.size() + 1);
    int place = 0;
    for (SessionWindow window : windows) {
      boolean before = event.timestamp() - window.endMs > Session.GAP_MS;
      boolean after = window.startMs - event.timestamp() > Session.GAP_MS;
      if (before || after) result.add(window);
      else merged.merge(window);
      if (before) place = result.size();
    }
    result.add(place, merged);
    return result;
  }

  private void merge(SessionWindow other) {
    startMs = Math.min(startMs, other.startMs);
    endMs = Math.max(endMs, other.endMs);
    counts.add(other.counts);
    if (other.userId != null && (userId == null || other.namesLater(this))) {
      userId = other.userId;
      userMs = other.userMs;
      userEvent = other.userEvent;
    }
    other.products.forEach((product, bits) -> products.merge(product, bits, (a, b) -> a | b));
  }

  private boolean namesLater(SessionWindow other) {
    if (userMs != other.userMs) return userMs > other.userMs;
    int order = userEvent.compareTo(other.userEvent);
    return order == 0 ? userId.compareTo(other.userId) > 0 : order > 0;
  }

  private void write(Bytes.Writer writer) {
    writer.number(startMs).number(endMs - startMs);
    HourCounts.write(counts, writer);
    writer.number(userId == null ? 0 : 1);
    if (userId != null) writer.text(userId).number(userMs).text(userEvent);
    writer.number(products.size());
    products.forEach((product, bits) -> writer.text(product.productId).number(product.hour).number(bits));
  }

  private static SessionWindow read(Bytes.Reader reader) {
    long startMs = reader.number();
    long endMs = startMs + reader.number();
    var window = new SessionWindow(HourCounts.read(reader));
    window.startMs = startMs;
    window.endMs = endMs;
    if (reader.number() == 1) {
      window.userId = reader.text();
      window.userMs = reader.number();
      window.userEvent = reader.text();
    }
    for (int left = reader.small(); left > 0; left--) {
      window.products.put(new Product(reader.text(), reader.number()), reader.small());
    }
    return window;
  }
}
