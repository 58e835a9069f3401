package millrace.peer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Raw interactions to clean ones (docs/architecture/shop.md, "Cleanse"). An event with the identity of one that was accepted and at
 * most 24 h from it is a duplicate. Store `events-seen`: hash of the identity → times of what was accepted.
 *
 * That an event is valid is checked where it comes in; of the checks that cleansing repeats, those of numbers are done here.
 */
final class Cleanse implements Processor<String, Interaction, String, Interaction> {
  static final String SEEN = "events-seen";
  static final Serde<long[]> TIMES = Bytes.serde(
      (times, writer) -> {
        for (long time : times) writer.number(time);
      },
      reader -> {
        long[] times = {};
        while (!reader.atEnd()) times = with(times, reader.number());
        return times;
      });

  private static final long HORIZON_MS = 24 * 3_600_000L;
  private static final long SAFE = (1L << 53) - 1;

  private ProcessorContext<String, Interaction> context;
  private KeyValueStore<Long, long[]> seen;

  @Override
  public void init(ProcessorContext<String, Interaction> context) {
    this.context = context;
    seen = context.getStateStore(SEEN);
  }

  @Override
  public void process(Record<String, Interaction> record) {
    Interaction event = record.value();
    if (!isValid(event)) return;
    long identity = identityOf(event);
    long[] times = seen.get(identity);
    if (times == null) times = new long[0];
    for (long time : times) if (Math.abs(time - event.timestamp()) <= HORIZON_MS) return;
    seen.put(identity, with(times, event.timestamp()));
    context.forward(record);
  }

  private static boolean isValid(Interaction event) {
    boolean numbers = event.quantity() >= 1 && event.quantity() <= 1_000_000_000 && event.price() >= 0
        && event.timestamp() >= 0 && Math.multiplyHigh(event.quantity(), event.price()) == 0
        && event.quantity() * event.price() >= 0 && event.quantity() * event.price() < SAFE;
    return numbers && (event.userId() != null || event.sessionId() != null);
  }

  private static long identityOf(Interaction event) {
    String from = event.sessionId() == null
        ? "u:" + event.userId()
        : "s:" + event.sessionId().length() + ":" + event.sessionId() + (event.userId() == null ? "" : event.userId());
    return hash((event.eventId().length() + ":" + event.eventId() + from).getBytes(StandardCharsets.UTF_8));
  }

  /** FNV-1a. */
  private static long hash(byte[] bytes) {
    long hash = 0xcbf29ce484222325L;
    for (byte each : bytes) hash = (hash ^ each & 0xff) * 0x100000001b3L;
    return hash;
  }

  private static long[] with(long[] times, long time) {
    long[] more = Arrays.copyOf(times, times.length + 1);
    more[times.length] = time;
    return more;
  }
}
