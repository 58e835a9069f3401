package millrace.peer;

/** Sums of interest that halve with time. */
final class Decay {
  static final double DAY_MS = 24 * 3_600_000;

  private Decay() {}

  /** A sum as of `refMs` with one more event, as of `toMs`, which is not before either. */
  static double add(double sum, long refMs, Interaction event, long toMs, double halfLifeMs) {
    return decayed(sum, refMs, toMs, halfLifeMs) + decayed(event.interest(), event.timestamp(), toMs, halfLifeMs);
  }

  private static double decayed(double sum, long fromMs, long toMs, double halfLifeMs) {
    return fromMs == toMs ? sum : sum * Math.pow(2, (fromMs - toMs) / halfLifeMs);
  }
}
