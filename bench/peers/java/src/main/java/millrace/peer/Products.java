package millrace.peer;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Clean interactions by product to `product-stats` and `product-hours`. */
final class Products implements Processor<String, Interaction, Void, Void> {
  static final String STATS = "product-stats";
  static final String HOURS = "product-hours";

  record ProductHour(String productId, long hour) {
    static final Serde<ProductHour> SERDE = Bytes.serde(
        (key, writer) -> writer.text(key.productId).number(key.hour),
        reader -> new ProductHour(reader.text(), reader.number()));
  }

  private KeyValueStore<String, ProductStats> stats;
  private KeyValueStore<ProductHour, HourCounts> hours;

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    stats = context.getStateStore(STATS);
    hours = context.getStateStore(HOURS);
  }

  @Override
  public void process(Record<String, Interaction> record) {
    Interaction event = record.value();
    ProductStats row = stats.get(event.productId());
    if (row == null) row = new ProductStats();
    row.add(event);
    stats.put(event.productId(), row);
    if (!HourCounts.counts(event)) return;
    var key = new ProductHour(event.productId(), event.timestamp() / 3_600_000);
    HourCounts counts = hours.get(key);
    hours.put(key, (counts == null ? new HourCounts() : counts).add(event));
  }
}
