import type { Engine } from '../../state/engine.ts';
import type { PartitionLog, Rewrite } from './partition-log.ts';

/**
 * Goes through the stored batches of a partition from its log start on and writes back those that `thin` gives another form,
 * in steps of bounded size. Whether there were any.
 */
export async function rewriteBatches(
  engine: Engine,
  partition: PartitionLog,
  { end, thin, rewrite }: BatchRewriting,
): Promise<boolean> {
  const from = partition.logStart;
  let step: Rewrite[] = [];
  let stepBytes = 0;
  let changed = false;
  const write = async (): Promise<void> => {
    if (step.length === 0) return;
    await rewrite(step);
    changed = true;
    step = [];
    stepBytes = 0;
  };
  const range = { gte: partition.key(from), lt: partition.key(Math.max(from, end)) };
  for await (const chunk of engine.range('log', range)) {
    for (const { value } of chunk) {
      const thinned = thin(value);
      if (thinned === undefined) continue;
      step.push(thinned);
      stepBytes += value.length;
      if (stepBytes >= stepBytesMax) await write();
    }
  }
  await write();
  return changed;
}

export interface BatchRewriting {
  /** Batches whose last offset is below it. */
  readonly end: number;
  /** What becomes of an encoded batch; undefined when it stays as it is. */
  thin(batch: Uint8Array): Rewrite | undefined;
  /** Writes a bounded step. */
  rewrite(batches: readonly Rewrite[]): Promise<void>;
}

const stepBytesMax = 4 * 1024 * 1024;
