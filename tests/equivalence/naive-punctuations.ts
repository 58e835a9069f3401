/**
 * Callbacks on a clock. Each has the time at which it is next due; when the clock has reached it, it is called once
 * with the clock's time, however many intervals have passed, and then is due at the next multiple of its interval
 * after its last due time that still lies ahead.
 *
 * Where the first one lies is what tells the two clocks apart: on stream time a schedule starts at time 0, so the
 * first record makes it due and from then on it falls due at multiples of the interval since the epoch; on wall-clock
 * time it starts one interval from now.
 */
export class NaivePunctuations {
  readonly #schedules: Schedule[] = [];

  schedule(firstMs: number, intervalMs: number, punctuator: (timestampMs: number) => void): Schedule {
    const schedule = { dueMs: firstMs, intervalMs, punctuator, cancelled: false };
    this.#schedules.push(schedule);
    return schedule;
  }

  punctuate(nowMs: number): void {
    const due = this.#schedules.filter((each) => each.dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const schedule of due) {
      if (schedule.cancelled) continue;
      schedule.dueMs += (Math.floor((nowMs - schedule.dueMs) / schedule.intervalMs) + 1) * schedule.intervalMs;
      schedule.punctuator(nowMs);
    }
  }
}

export interface Schedule {
  dueMs: number;
  readonly intervalMs: number;
  readonly punctuator: (timestampMs: number) => void;
  cancelled: boolean;
}
