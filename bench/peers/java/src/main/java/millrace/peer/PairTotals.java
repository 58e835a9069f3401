package millrace.peer;

import org.apache.kafka.common.serialization.Serde;

/** A row of `pair-totals`: sums over the sessions of one partition, per relation. */
final class PairTotals {
  static final Serde<PairTotals> SERDE = Bytes.serde(PairTotals::write, PairTotals::read);

  long sessions;
  /** By position, 1 first. */
  final long[] rep = new long[SessionStep.WINDOW];
  final long[] repN = new long[SessionStep.WINDOW];

  PairTotals add(SessionStep step) {
    if (step.opens) sessions++;
    for (int k = 0; k < step.distinct.size(); k++) repN[k]++;
    if (step.hit > 0) rep[step.hit - 1]++;
    return this;
  }

  private static void write(PairTotals totals, Bytes.Writer writer) {
    writer.number(totals.sessions);
    for (long count : totals.rep) writer.number(count);
    for (long count : totals.repN) writer.number(count);
  }

  private static PairTotals read(Bytes.Reader reader) {
    var totals = new PairTotals();
    totals.sessions = reader.number();
    for (int k = 0; k < totals.rep.length; k++) totals.rep[k] = reader.number();
    for (int k = 0; k < totals.repN.length; k++) totals.repN[k] = reader.number();
    return totals;
  }
}
