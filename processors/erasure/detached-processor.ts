import type { Processor, ProcessorContext, Record } from '../../topology/index.ts';

/** What lets a processor of the shop run outside its task: over the stores it is given, sending to whoever asks. */
export interface Detached<V> {
  readonly partition: number;
  store(name: string): unknown;
  forward?(record: Record<string, V>): void;
}

/** Runs a new processor over records, as one batch and its commit. */
export async function runDetached<VIn, VOut>(
  processor: Processor<string, VIn, string, VOut>,
  records: readonly Record<string, VIn>[],
  detached: Detached<VOut>,
): Promise<void> {
  processor.init?.(detachedContext(detached));
  await processor.load?.(records);
  for (const record of records) await processor.process(record);
  await processor.beforeCommit?.();
}

function detachedContext<V>({ partition, store, forward }: Detached<V>): ProcessorContext<string, V> {
  return {
    applicationId: 'erasure',
    taskId: `erasure_${partition}`,
    partition,
    forward: (record) => forward?.(record),
    getStateStore: <S>(name: string) => store(name) as S,
    schedule: () => {
      throw new Error('A detached processor has no clock.');
    },
    currentStreamTimeMs: () => 0,
    currentSystemTimeMs: () => 0,
    recordMetadata: () => undefined,
  };
}
