import type { TimestampedKeyValueStore } from '../../../state/store.ts';
import type { Aggregation } from '../../graph/operator.ts';
import { faults } from '../faults.ts';
import type { Counter } from '../metrics.ts';
import type { Emit, ExecutableNode } from '../node.ts';
import type { StreamRecord } from '../stream-record.ts';
import { aggregateOnce } from './aggregation.ts';
import { change, PendingChanges } from './pending-changes.ts';
import { keyToken } from './key-token.ts';

export interface AggregateOptions {
  readonly name: string;
  readonly aggregation: Aggregation;
  readonly store: TimestampedKeyValueStore<unknown, unknown>;
  readonly caching: boolean;
  readonly dropped: Counter;
}

/**
 * count, reduce and aggregate of a grouped stream. The aggregate's timestamp is the highest of its records'; null keys
 * and null values are dropped and counted (KStreamAggregate, KStreamReduce).
 */
export function aggregateNode(options: AggregateOptions): ExecutableNode {
  const { name, aggregation, store, caching, dropped } = options;
  const pending = new PendingChanges();

  return {
    name,
    load: (records) => store.load(keysOf(records)),
    process(record: StreamRecord, emit: Emit) {
      const { key, value } = record;
      if (key === null || value === null) {
        dropped.value += 1;
        return;
      }
      const old = faults.staleRead && record.position > 0 ? undefined : store.getLoaded(key);
      const oldValue = old?.value ?? null;
      const newValue = aggregateOnce(aggregation, key, value, oldValue);
      const timestamp = old === undefined ? record.timestamp : Math.max(record.timestamp, old.timestamp);
      if (newValue === null) store.delete(key);
      else store.put(key, { value: newValue, timestamp });
      if (caching) pending.note(keyToken(key), { key, oldValue, newValue, timestamp });
      else emit(record.with(key, change(newValue, oldValue), timestamp));
    },
    hasPending: () => pending.size > 0,
    flush: (place, emit) => pending.flush(place, emit),
  };
}

function* keysOf(records: readonly StreamRecord[]): Iterable<unknown> {
  for (const { key, value } of records) if (key !== null && value !== null) yield key;
}
