import type { TimestampedKeyValueStore } from '../../../state/store.ts';
import type { Counter } from '../metrics.ts';
import type { Emit, ExecutableNode } from '../node.ts';
import type { StreamRecord } from '../stream-record.ts';
import { keyToken } from './key-token.ts';
import { change, PendingChanges } from './pending-changes.ts';

export interface TableSourceOptions {
  readonly name: string;
  /** Undefined for a table that nobody reads. */
  readonly store: TimestampedKeyValueStore<unknown, unknown> | undefined;
  readonly caching: boolean;
  readonly dropped: Counter;
}

/**
 * Source of a table (KTableSource): the last record in offset order wins, whatever its timestamp. A null key is dropped
 * and counted; a null value deletes.
 */
export function tableSourceNode({ name, store, caching, dropped }: TableSourceOptions): ExecutableNode {
  const pending = new PendingChanges();

  return {
    name,
    load: (records) => store?.load(records.filter(({ key }) => key !== null).map(({ key }) => key)),
    process(record: StreamRecord, emit: Emit) {
      const { key, value, timestamp } = record;
      if (key === null) {
        dropped.value += 1;
        return;
      }
      const oldValue = store?.getLoaded(key)?.value ?? null;
      if (value === null) store?.delete(key);
      else store?.put(key, { value, timestamp });
      if (caching) pending.note(keyToken(key), { key, oldValue, newValue: value, timestamp });
      else emit(record.with(key, change(value, oldValue)));
    },
    hasPending: () => pending.size > 0,
    flush: (place, emit) => pending.flush(place, emit),
  };
}
