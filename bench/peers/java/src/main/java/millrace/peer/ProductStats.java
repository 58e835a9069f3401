package millrace.peer;

import org.apache.kafka.common.serialization.Serde;

/** A row of `product-stats` (docs/architecture/shop.md, "Product statistics"). */
final class ProductStats {
  static final Serde<ProductStats> SERDE = Bytes.serde(ProductStats::write, ProductStats::read);

  /** Events by type, in the schema's order. */
  final long[] events = new long[7];
  long quantity;
  long revenue;
  long firstSeenMs = Long.MAX_VALUE;
  long lastSeenMs;
  boolean service;
  long refMs;
  double fast;
  double slow;

  void add(Interaction event) {
    events[event.type().ordinal()]++;
    quantity += event.pieces();
    revenue += event.amount();
    firstSeenMs = Math.min(firstSeenMs, event.timestamp());
    lastSeenMs = Math.max(lastSeenMs, event.timestamp());
    service |= event.service();
    if (event.interest() == 0) return;
    long to = Math.max(refMs, event.timestamp());
    fast = Decay.add(fast, refMs, event, to, Decay.DAY_MS);
    slow = Decay.add(slow, refMs, event, to, 14 * Decay.DAY_MS);
    refMs = to;
  }

  private static void write(ProductStats stats, Bytes.Writer writer) {
    for (long count : stats.events) writer.number(count);
    writer.signed(stats.quantity).signed(stats.revenue).number(stats.firstSeenMs).number(stats.lastSeenMs)
        .number(stats.service ? 1 : 0).number(stats.refMs).real(stats.fast).real(stats.slow);
  }

  private static ProductStats read(Bytes.Reader reader) {
    var stats = new ProductStats();
    for (int type = 0; type < stats.events.length; type++) stats.events[type] = reader.number();
    stats.quantity = reader.signed();
    stats.revenue = reader.signed();
    stats.firstSeenMs = reader.number();
    stats.lastSeenMs = reader.number();
    stats.service = reader.number() == 1;
    stats.refMs = reader.number();
    stats.fast = reader.real();
    stats.slow = reader.real();
    return stats;
  }
}
