import type { Aggregation } from '../../graph/operator.ts';

/** One step of an aggregation: the new aggregate, null to delete it. `old` is null when there is none. */
export function aggregateOnce(aggregation: Aggregation, key: unknown, value: unknown, old: unknown): unknown {
  switch (aggregation.kind) {
    case 'count':
      return ((old as number | null) ?? 0) + 1;
    case 'reduce':
      return old === null ? value : aggregation.reducer(old, value);
    case 'aggregate':
      return aggregation.aggregator(key, value, old === null ? aggregation.initializer() : old);
  }
}
