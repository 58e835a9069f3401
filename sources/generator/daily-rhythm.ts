/**
 * How much of the mean happens at this time of the day (UTC): least at 8, most at 20 o'clock; its mean over a day is 1. The swing is
 * how far it goes from there: 0 is every hour alike.
 */
export function dailyRhythm(timeMs: number, swing: number): number {
  const hour = (timeMs % 86_400_000) / 3_600_000;
  return 1 + swing * Math.cos(((hour - 20) / 24) * 2 * Math.PI);
}

/** Of the busiest hour. */
export function rhythmMax(swing: number): number {
  return 1 + swing;
}
