import type { ErrorFields, ReplayProgress } from '../messages.ts';

/** How far a replay is, and how fast, since it was first looked at. */
export class ProgressMeter {
  readonly #sinceMs = performance.now();
  #processedBefore: number | undefined;

  /** Records of the source topics. */
  read(
    { processed, total }: Processed,
    of: { readonly isHandingOver: boolean; readonly error: ErrorFields | null },
  ): ReplayProgress {
    this.#processedBefore ??= processed;
    const seconds = (performance.now() - this.#sinceMs) / 1000;
    const recordsPerSecond = (processed - this.#processedBefore) / seconds;
    const isRunning = of.error === null && recordsPerSecond > 0;
    return {
      processed,
      total,
      recordsPerSecond: Math.round(recordsPerSecond),
      secondsLeft: isRunning ? Math.ceil((total - processed) / recordsPerSecond) : null,
      ...of,
    };
  }
}

export interface Processed {
  readonly processed: number;
  /** Grows while records come. */
  readonly total: number;
}
