import type { ErrorFields, ReplayProgress, SourceOffset } from '../messages.ts';

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

/** Of the records between where a generation began and the `end` of each partition. */
export function recordsSince(
  startOffsets: readonly SourceOffset[],
  positions: readonly (SourceOffset & { readonly end: number })[],
): Processed {
  let processed = 0;
  let total = 0;
  for (const { topic, partition, offset, end } of positions) {
    const start = startOffsets.find((other) => other.topic === topic && other.partition === partition)?.offset ?? 0;
    processed += Math.max(0, offset - start);
    total += end - start;
  }
  return { processed, total };
}
