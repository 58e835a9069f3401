import type { StateStore, TimestampedKeyValueStore, WindowStore } from '../../../state/store.ts';
import type { ProcessorNode, StoreSpec } from '../../graph/graph.ts';
import type { Metrics } from '../metrics.ts';
import type { ExecutableNode } from '../node.ts';
import type { Punctuations } from '../punctuation.ts';
import { aggregateNode } from './aggregate.ts';
import { ProcessNode, type TaskFacts } from './process.ts';
import { statelessNode } from './stateless.ts';
import { streamTableJoinNode } from './stream-table-join.ts';
import { tableSourceNode } from './table-source.ts';
import { windowedAggregateNode } from './windowed-aggregate.ts';

export interface NodeEnvironment {
  readonly stores: ReadonlyMap<string, StateStore>;
  readonly specs: ReadonlyMap<string, StoreSpec>;
  readonly task: TaskFacts;
  readonly punctuations: Punctuations;
  readonly metrics: Metrics;
  /** The record cache is on: caching stores hold their changes back until the commit. */
  readonly recordCache: boolean;
}

/** The graph's node as something that runs. */
export function createNode(node: ProcessorNode, environment: NodeEnvironment): ExecutableNode {
  const { name, operator } = node;
  const { stores, specs, metrics, task, punctuations, recordCache } = environment;
  const dropped = metrics.counter('dropped-records', { node: name });
  const caching = (store: string): boolean => recordCache && specs.get(store)!.caching;
  const table = (store: string) => stores.get(store) as TimestampedKeyValueStore<unknown, unknown>;

  switch (operator.op) {
    case 'tableSource': {
      const { store } = operator;
      if (store === undefined) return tableSourceNode({ name, store: undefined, caching: false, dropped });
      return tableSourceNode({ name, store: table(store), caching: caching(store), dropped });
    }
    case 'aggregate': {
      const { store, aggregation } = operator;
      return aggregateNode({ name, aggregation, store: table(store), caching: caching(store), dropped });
    }
    case 'windowedAggregate': {
      const { store, window, aggregation } = operator;
      const late = metrics.counter('late-records', { node: name });
      const windows = stores.get(store) as WindowStore<unknown, unknown>;
      return windowedAggregateNode({
        name,
        window,
        aggregation,
        store: windows,
        caching: caching(store),
        dropped,
        late,
      });
    }
    case 'streamTableJoin': {
      const { store, left, joiner } = operator;
      return streamTableJoinNode({ name, store: table(store), left, joiner, dropped });
    }
    case 'process': {
      const connected = new Map(node.stores.map((store) => [store, stores.get(store)!]));
      const processor = operator.supplier.get();
      return new ProcessNode({ name, processor, stores: connected, task, punctuations });
    }
    default:
      return statelessNode(name, operator, dropped)!;
  }
}
