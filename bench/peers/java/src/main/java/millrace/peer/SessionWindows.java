package millrace.peer;

import java.util.List;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Clean interactions by session to `session-windows`. */
final class SessionWindows implements Processor<String, Interaction, Void, Void> {
  static final String WINDOWS = "session-windows";

  private KeyValueStore<String, List<SessionWindow>> windows;

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    windows = context.getStateStore(WINDOWS);
  }

  @Override
  public void process(Record<String, Interaction> record) {
    Interaction event = record.value();
    if (event.service()) return;
    List<SessionWindow> known = windows.get(event.sessionKey());
    windows.put(event.sessionKey(), SessionWindow.add(known == null ? List.of() : known, event));
  }
}
