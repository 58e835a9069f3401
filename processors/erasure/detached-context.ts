import type { ProcessorContext, Record } from '../../topology/index.ts';

/** What lets a processor of the shop run outside its task: over the stores it is given, sending to whoever asks. */
export interface Detached<V> {
  readonly partition: number;
  store(name: string): unknown;
  forward?(record: Record<string, V>): void;
}

export function detachedContext<V>({ partition, store, forward }: Detached<V>): ProcessorContext<string, V> {
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
