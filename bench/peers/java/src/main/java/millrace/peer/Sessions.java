package millrace.peer;

import java.util.List;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Clean interactions to steps for the pair tables, in the order of the log; key in: session key, key out: the item. */
final class Sessions implements Processor<String, Interaction, String, PairStep> {
  static final String SESSIONS = "sessions";
  static final String TOTALS = "pair-totals";

  private ProcessorContext<String, PairStep> context;
  private KeyValueStore<String, Session> sessions;
  private KeyValueStore<String, PairTotals> totals;

  @Override
  public void init(ProcessorContext<String, PairStep> context) {
    this.context = context;
    sessions = context.getStateStore(SESSIONS);
    totals = context.getStateStore(TOTALS);
  }

  @Override
  public void process(Record<String, Interaction> record) {
    Interaction event = record.value();
    Relation relation = Relation.of(event);
    if (relation == null) return;
    String key = event.sessionKey();
    Session session = sessions.get(key);
    boolean ended = session != null && event.sessionId() == null && event.timestamp() - session.lastMs > Session.GAP_MS;
    if (session == null || ended) session = new Session();
    session.events++;
    session.lastMs = Math.max(session.lastMs, event.timestamp());
    if (session.events <= Session.EVENTS_MAX) step(session, relation, record);
    sessions.put(key, session);
  }

  private void step(Session session, Relation relation, Record<String, Interaction> record) {
    String item = record.value().productId();
    var step = new SessionStep(session.sequence(relation), item);
    session.items.add(item);
    session.relations.add(relation);
    if (step.opens || !step.distinct.isEmpty()) {
      PairTotals row = totals.get(relation.label);
      totals.put(relation.label, (row == null ? new PairTotals() : row).add(step));
    }
    if (step.first || !step.pairs.isEmpty()) forward(new PairStep(relation, item, step.first, step.pairs), record);
    if (relation != Relation.BOUGHT || !step.first) return;
    List<PairStep.Pair> ways = SessionStep.viewedThenBought(session.sequence(Relation.VIEWED), item);
    if (!ways.isEmpty()) forward(new PairStep(Relation.VIEWED_BOUGHT, item, false, ways), record);
  }

  private void forward(PairStep step, Record<String, Interaction> record) {
    context.forward(record.withKey(step.item()).withValue(step));
  }
}
