import type { TimeWindow } from '../graph/operator.ts';
import { topologyInvalid } from '../graph/topology-invalid.ts';

/**
 * Windows of a fixed size, `[n·sizeMs, (n+1)·sizeMs)` in ms of event time, aligned to the epoch: a record with timestamp t
 * belongs to the one that starts at `t - t mod sizeMs`.
 *
 * A record is late when its window's end + graceMs <= stream time (the highest timestamp the operator has seen):
 * it changes nothing and is counted as dropped.
 *
 * @example
 * TimeWindows.ofSizeAndGrace({ sizeMs: 60_000, graceMs: 5_000 }); // t = 61_000 lies in [60_000, 120_000)
 */
export class TimeWindows implements TimeWindow {
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;

  private constructor(window: TimeWindow) {
    this.sizeMs = window.sizeMs;
    this.advanceMs = window.advanceMs;
    this.graceMs = window.graceMs;
  }

  static ofSizeAndGrace({ sizeMs, graceMs }: { readonly sizeMs: number; readonly graceMs: number }): TimeWindows {
    if (!Number.isSafeInteger(sizeMs) || sizeMs < 1) {
      throw topologyInvalid(`Window size wants a whole number of ms >= 1, found ${sizeMs}`, { sizeMs });
    }
    if (!Number.isSafeInteger(graceMs) || graceMs < 0) {
      throw topologyInvalid(`Window grace wants a whole number of ms >= 0, found ${graceMs}`, { graceMs });
    }
    return new TimeWindows({ sizeMs, advanceMs: sizeMs, graceMs });
  }

  static ofSizeWithNoGrace(sizeMs: number): TimeWindows {
    return TimeWindows.ofSizeAndGrace({ sizeMs, graceMs: 0 });
  }

  /** Only the size itself, so far: windows that overlap (hopping windows) are refused. */
  advanceBy(advanceMs: number): TimeWindows {
    if (advanceMs !== this.sizeMs) {
      throw topologyInvalid(
        `Window advance wants ${this.sizeMs} ms, the window's size, found ${advanceMs} ms: hopping windows are not there yet`,
        { sizeMs: this.sizeMs, advanceMs },
      );
    }
    return this;
  }
}
