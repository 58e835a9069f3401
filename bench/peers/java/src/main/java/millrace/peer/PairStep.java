package millrace.peer;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;

/**
 * What one more event of a session adds to the pair counts: the value of the topic `pair-steps`.
 *
 * @param first the item's first time in the session, for this relation; never of viewed-bought
 */
record PairStep(Relation relation, String item, boolean first, List<Pair> pairs) {
  static final Serde<PairStep> SERDE = Bytes.serde(PairStep::write, PairStep::read);

  /**
   * @param forward added to the weight item → the step's item
   * @param back added to the weight of the way back
   * @param count 1 the first time that the session holds the pair
   */
  record Pair(String item, int forward, int back, int count) {}

  private static void write(PairStep step, Bytes.Writer writer) {
    writer.number(step.relation.ordinal()).text(step.item).number(step.first ? 1 : 0);
    for (Pair pair : step.pairs) {
      writer.text(pair.item).number(pair.forward).number(pair.back).number(pair.count);
    }
  }

  private static PairStep read(Bytes.Reader reader) {
    Relation relation = Relation.of(reader.small());
    String item = reader.text();
    boolean first = reader.number() == 1;
    List<Pair> pairs = new ArrayList<>();
    while (!reader.atEnd()) pairs.add(new Pair(reader.text(), reader.small(), reader.small(), reader.small()));
    return new PairStep(relation, item, first, pairs);
  }
}
