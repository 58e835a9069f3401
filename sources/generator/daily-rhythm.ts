/** How much of the mean happens at this time of the day (UTC): least at 8, most at 20 o'clock; its mean over a day is 1. */
export function dailyRhythm(timeMs: number): number {
  const hour = (timeMs % 86_400_000) / 3_600_000;
  return 1 + swing * Math.cos(((hour - 20) / 24) * 2 * Math.PI);
}

const swing = 0.7;
export const rhythmMax = 1 + swing;
