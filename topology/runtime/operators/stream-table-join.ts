import type { TimestampedKeyValueStore } from '../../../state/store.ts';
import type { Counter } from '../metrics.ts';
import type { Emit, ExecutableNode } from '../node.ts';
import type { StreamRecord } from '../stream-record.ts';

export interface StreamTableJoinOptions {
  readonly name: string;
  readonly store: TimestampedKeyValueStore<unknown, unknown>;
  readonly left: boolean;
  readonly joiner: (key: unknown, left: unknown, right: unknown) => unknown;
  readonly dropped: Counter;
}

/**
 * Stream-table join (KStreamKTableJoin): each record of the stream meets what the table holds at that moment. The store
 * is the table source's own, so both nodes run as one group (plan.ts). Inner: null keys and values are dropped and
 * counted. Left: a null key meets no table row, and null values are dropped (KIP-962).
 */
export function streamTableJoinNode(options: StreamTableJoinOptions): ExecutableNode {
  const { name, store, left, joiner, dropped } = options;
  return {
    name,
    load: (records) => store.load(records.filter(({ key }) => key !== null).map(({ key }) => key)),
    process(record: StreamRecord, emit: Emit) {
      const { key, value } = record;
      if (value === null || (key === null && !left)) {
        dropped.value += 1;
        return;
      }
      const right = key === null ? null : (store.getLoaded(key)?.value ?? null);
      if (right === null && !left) return;
      emit(record.with(key, joiner(key, value, right)));
    },
  };
}
