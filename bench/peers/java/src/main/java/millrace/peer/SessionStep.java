package millrace.peer;

import java.util.ArrayList;
import java.util.List;

/** What an event of a session adds (docs/architecture/shop.md, "Step", "De-duplication in the session", "Reminders"). */
final class SessionStep {
  static final int WINDOW = 10;
  private static final int[] FORWARD = table(1024);
  private static final int[] BACK = table(768);

  final boolean first;
  /** The session's first event of this relation. */
  final boolean opens;
  final List<PairStep.Pair> pairs = new ArrayList<>();
  /** The last distinct items before this one, newest first, at most ten. */
  final List<String> distinct = new ArrayList<>(WINDOW);
  /** At which place among them the item stood, 1..10; 0 when it did not. */
  final int hit;

  SessionStep(List<String> sequence, String item) {
    int length = sequence.size();
    first = !sequence.contains(item);
    opens = length == 0;
    for (int d = 1; d <= length && distinct.size() < WINDOW; d++) {
      String other = sequence.get(length - d);
      if (distinct.contains(other)) continue;
      distinct.add(other);
      if (d > WINDOW || other.equals(item)) continue;
      if (first) pairs.add(new PairStep.Pair(other, FORWARD[d], BACK[d], 1));
      else addRemainder(sequence, other, item, d);
    }
    hit = first ? 0 : distinct.indexOf(item) + 1;
  }

  /** What the pair gains beyond what earlier places of the item have given. */
  private void addRemainder(List<String> sequence, String other, String item, int d) {
    int before = 0;
    int after = 0;
    for (int at = 0; at < sequence.size(); at++) {
      if (!sequence.get(at).equals(item)) continue;
      for (int distance = 1; distance <= WINDOW; distance++) {
        boolean isBefore = at >= distance && sequence.get(at - distance).equals(other);
        boolean isAfter = at + distance < sequence.size() && sequence.get(at + distance).equals(other);
        if (isBefore && (before == 0 || distance < before)) before = distance;
        if (isAfter && (after == 0 || distance < after)) after = distance;
      }
    }
    if (before == 0 && after == 0) {
      pairs.add(new PairStep.Pair(other, FORWARD[d], BACK[d], 1));
      return;
    }
    int forward = Math.max(0, FORWARD[d] - Math.max(FORWARD[before], BACK[after]));
    int back = Math.max(0, BACK[d] - Math.max(BACK[before], FORWARD[after]));
    if (forward > 0 || back > 0) pairs.add(new PairStep.Pair(other, forward, back, 0));
  }

  /** The first purchase of an item: each other item of the last ten views leads to it, once, at its nearest distance. */
  static List<PairStep.Pair> viewedThenBought(List<String> viewed, String bought) {
    List<PairStep.Pair> pairs = new ArrayList<>();
    List<String> nearer = new ArrayList<>();
    for (int d = 1; d <= WINDOW && d <= viewed.size(); d++) {
      String item = viewed.get(viewed.size() - d);
      if (item.equals(bought) || nearer.contains(item)) continue;
      nearer.add(item);
      pairs.add(new PairStep.Pair(item, FORWARD[d], 0, 1));
    }
    return pairs;
  }

  /** By distance; 0 at place 0. */
  private static int[] table(int unit) {
    int[] weights = new int[WINDOW + 1];
    for (int d = 1; d <= WINDOW; d++) weights[d] = (int) Math.round(unit / Math.sqrt(d));
    return weights;
  }
}
