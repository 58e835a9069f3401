import type { Serde } from '../../schemas/index.ts';
import type { StreamPartitioner, TopicNameExtractor } from '../graph/graph.ts';
import type { Operator } from '../graph/operator.ts';
import { topologyInvalid } from '../graph/topology-invalid.ts';
import type { ProcessorSupplier } from '../processor.ts';
import { KGroupedStream } from './k-grouped-stream.ts';
import type { KTable } from './k-table.ts';
import type { Grouped, Joined, Named, Processed, Produced, Repartitioned } from './options.ts';
import type { Step } from './plan.ts';
import { repartition } from './repartition.ts';
import type { StreamState } from './stream-state.ts';

/**
 * A stream of records. Every operator gives a new stream; the one it is called on stays as it was and can be used again.
 *
 * Functions must be pure and leave keys and values alone: after a crash they run again, and other operators see the same
 * objects. Timestamps and headers pass through. Operators that may change the key (`map`, `flatMap`, `selectKey`,
 * `groupBy`, `process`) make the next grouping or join send the records through a repartition topic.
 */
export class KStream<K, V> {
  /** @internal */
  readonly state: StreamState;
  /** The repartition that an unnamed join made; a second one shares it. */
  #joinRepartition: Step | undefined;

  /** @internal Made by `StreamsBuilder.stream`. */
  constructor(state: StreamState) {
    this.state = state;
  }

  /** The records for which the predicate is true. A type guard narrows the values. */
  filter<VR extends V>(predicate: (key: K, value: V) => value is VR, named?: Named): KStream<K, VR>;
  filter(predicate: (key: K, value: V) => boolean, named?: Named): KStream<K, V>;
  filter(predicate: (key: K, value: V) => boolean, named: Named = {}): KStream<K, V> {
    return this.#operator('KSTREAM-FILTER-', named, { op: 'filter', predicate: predicate as Predicate, not: false });
  }

  filterNot(predicate: (key: K, value: V) => boolean, named: Named = {}): KStream<K, V> {
    return this.#operator('KSTREAM-FILTER-', named, { op: 'filter', predicate: predicate as Predicate, not: true });
  }

  /** A new key and value for each record. */
  map<KR, VR>(mapper: (key: K, value: V) => readonly [KR, VR], named: Named = {}): KStream<KR, VR> {
    const operator: Operator = {
      op: 'map',
      mapper: mapper as (key: unknown, value: unknown) => readonly [unknown, unknown],
    };
    return this.#operator('KSTREAM-MAP-', named, operator, newKeyAndValue);
  }

  mapValues<VR>(mapper: (value: V, key: K) => VR, named: Named = {}): KStream<K, VR> {
    const operator: Operator = { op: 'mapValues', mapper: mapper as (value: unknown, key: unknown) => unknown };
    return this.#operator('KSTREAM-MAPVALUES-', named, operator, newValue);
  }

  /** Any number of records for each one, in the order given. */
  flatMap<KR, VR>(mapper: (key: K, value: V) => Iterable<readonly [KR, VR]>, named: Named = {}): KStream<KR, VR> {
    const operator: Operator = {
      op: 'flatMap',
      mapper: mapper as (key: unknown, value: unknown) => Iterable<readonly [unknown, unknown]>,
    };
    return this.#operator('KSTREAM-FLATMAP-', named, operator, newKeyAndValue);
  }

  flatMapValues<VR>(mapper: (value: V, key: K) => Iterable<VR>, named: Named = {}): KStream<K, VR> {
    const operator: Operator = {
      op: 'flatMapValues',
      mapper: mapper as (value: unknown, key: unknown) => Iterable<unknown>,
    };
    return this.#operator('KSTREAM-FLATMAPVALUES-', named, operator, newValue);
  }

  selectKey<KR>(mapper: (key: K, value: V) => KR, named: Named = {}): KStream<KR, V> {
    return this.#operator('KSTREAM-KEY-SELECT-', named, { op: 'selectKey', mapper: mapper as Mapper }, newKey);
  }

  /** Looks at each record and hands it on. May run again after a crash: not a place for effects that count. */
  peek(action: (key: K, value: V) => void, named: Named = {}): KStream<K, V> {
    return this.#operator('KSTREAM-PEEK-', named, { op: 'peek', action: action as Action });
  }

  foreach(action: (key: K, value: V) => void, named: Named = {}): void {
    this.#operator('KSTREAM-FOREACH-', named, { op: 'foreach', action: action as Action });
  }

  /** The records of both streams; each keeps its order. Serdes of the two may differ, so the result has none. */
  merge<V2>(other: KStream<K, V2>, named: Named = {}): KStream<K, V | V2> {
    const { plan, step, sources, repartitionRequired } = this.state;
    const name = plan.names.given(named.name, 'KSTREAM-MERGE-');
    const parents = step === other.state.step ? [step] : [step, other.state.step];
    const merged = plan.add({
      name,
      parents,
      write: (topology) =>
        void topology.addOperator(
          name,
          { op: 'passThrough' },
          parents.map((parent) => parent.name),
        ),
    });
    return new KStream<K, V | V2>({
      plan,
      name,
      step: merged,
      keySerde: undefined,
      valueSerde: undefined,
      sources: new Set([...sources, ...other.state.sources]),
      repartitionRequired: repartitionRequired || other.state.repartitionRequired,
    });
  }

  /** Groups by the key that the records have. Repartitions only when an operator above may have changed it. */
  groupByKey(grouped: Grouped<K, V> = {}): KGroupedStream<K, V> {
    return new KGroupedStream<K, V>(withSerdes(this.state, grouped), grouped.name);
  }

  /** Groups by a new key; always repartitions. `name` names the key's node and the repartition topic. */
  groupBy<KR>(mapper: (key: K, value: V) => KR, grouped: Grouped<KR, V> = {}): KGroupedStream<KR, V> {
    const rekeyed = this.#operator<KR, V>(
      'KSTREAM-KEY-SELECT-',
      { name: grouped.name },
      { op: 'selectKey', mapper: mapper as Mapper },
      newKey,
    );
    return new KGroupedStream<KR, V>(withSerdes(rekeyed.state, grouped), grouped.name);
  }

  /**
   * Each record with the table's value for its key at that moment; nothing without one. The table's changes send
   * nothing. Records with a null key or value are dropped and counted.
   */
  join<VT, VR>(
    table: KTable<K, VT>,
    joiner: (left: V, right: VT, key: K) => VR,
    joined: Joined<K, V> = {},
  ): KStream<K, VR> {
    return this.#join(table as KTable<K, unknown>, joiner as Joiner, joined, false);
  }

  /** As `join`, with null where the table has no value; a null key has none. Only null values are dropped. */
  leftJoin<VT, VR>(
    table: KTable<K, VT>,
    joiner: (left: V, right: VT | null, key: K) => VR,
    joined: Joined<K, V> = {},
  ): KStream<K, VR> {
    return this.#join(table as KTable<K, unknown>, joiner as Joiner, joined, true);
  }

  /** Sends the records through a topic of our own, `<name>-repartition`. */
  repartition(options: Repartitioned<K, V> = {}): KStream<K, V> {
    const { plan, step } = this.state;
    const { keySerde, valueSerde } = withSerdes(this.state, options);
    if (options.partitions !== undefined && !(Number.isSafeInteger(options.partitions) && options.partitions > 0)) {
      throw topologyInvalid(
        `Repartition '${options.name}' wants a whole number of partitions >= 1, found ${options.partitions}`,
      );
    }
    const through = repartition(plan, {
      prefix: plan.names.given(options.name, 'KSTREAM-REPARTITION-'),
      keySerde,
      valueSerde,
      partitions: options.partitions,
      partitioner: options.partitioner as StreamPartitioner | undefined,
    });
    return repartitioned<K, V>(this.state, through.sourceName, through.addTo(step), { keySerde, valueSerde });
  }

  /** An operator of your own, with the stores that it names and punctuations. May change the key. */
  process<KR = unknown, VR = unknown>(
    supplier: ProcessorSupplier<K, V, KR, VR>,
    options: Processed = {},
  ): KStream<KR, VR> {
    const operator: Operator = { op: 'process', supplier: supplier as unknown as ProcessorSupplier };
    return this.#operator('KSTREAM-PROCESSOR-', options, operator, newKeyAndValue, options.stores);
  }

  /** Writes to a topic, or to the one that the function names for each record (it must exist). */
  to(topic: string | TopicNameExtractor, produced: Produced<K, V> = {}): void {
    const { plan, step } = this.state;
    const { keySerde, valueSerde } = withSerdes(this.state, produced);
    const name = plan.names.given(produced.name, 'KSTREAM-SINK-');
    plan.add({
      name,
      parents: [step],
      write: (topology) =>
        void topology.addSink(name, topic, step.name, {
          keySerde: keySerde ?? plan.keySerde,
          valueSerde: valueSerde ?? plan.valueSerde,
          partitioner: produced.partitioner as StreamPartitioner | undefined,
        }),
    });
  }

  #operator<KR, VR>(
    prefix: string,
    named: Named,
    operator: Operator,
    changes: Changes = {},
    stores: readonly string[] = [],
  ): KStream<KR, VR> {
    const { plan, step } = this.state;
    const name = plan.names.given(named.name, prefix);
    const added = plan.add({
      name,
      parents: [step],
      write(topology) {
        topology.addOperator(name, operator, [step.name]);
        if (stores.length > 0) topology.connectProcessorAndStateStores(name, ...stores);
      },
    });
    return new KStream<KR, VR>({
      ...this.state,
      name,
      step: added,
      keySerde: changes.key === true ? undefined : this.state.keySerde,
      valueSerde: changes.value === true ? undefined : this.state.valueSerde,
      repartitionRequired: changes.key === true || this.state.repartitionRequired,
    });
  }

  #join<VR>(table: KTable<K, unknown>, joiner: Joiner, joined: Joined<K, V>, left: boolean): KStream<K, VR> {
    const from = this.#partitionedForJoin(joined);
    const { plan, step } = from;
    const name = plan.names.given(joined.name, left ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-');
    const store = table.materialize();
    const sources = new Set([...from.sources, ...table.state.sources]);
    const added = plan.add({
      name,
      parents: [step],
      isLeftJoin: left,
      write(topology) {
        const operator: Operator = { op: 'streamTableJoin', store, left, joiner: (key, l, r) => joiner(l, r, key) };
        topology.addOperator(name, operator, [step.name]);
        topology.connectProcessorAndStateStores(name, store);
        topology.addCopartitionGroup({ sources: [...sources], operator: name });
      },
    });
    const { keySerde } = from;
    return new KStream<K, VR>({
      plan,
      name,
      step: added,
      keySerde,
      valueSerde: undefined,
      sources,
      repartitionRequired: false,
    });
  }

  /** Numbers are taken for every join, but unnamed joins of one stream share one repartition, as in Kafka Streams. */
  #partitionedForJoin(joined: Joined<K, V>): StreamState {
    const state = withSerdes(this.state, joined);
    if (!this.state.repartitionRequired) return state;
    const prefix = joined.name ?? this.state.name;
    const { keySerde, valueSerde } = state;
    const through = repartition(this.state.plan, { prefix, keySerde, valueSerde });
    if (this.#joinRepartition === undefined || prefix !== this.state.name) {
      this.#joinRepartition = through.addTo(this.state.step);
    }
    return repartitioned(state, through.sourceName, this.#joinRepartition, { keySerde, valueSerde }).state;
  }
}

type Predicate = (key: unknown, value: unknown) => boolean;
type Mapper = (key: unknown, value: unknown) => unknown;
type Action = (key: unknown, value: unknown) => void;
type Joiner = (left: unknown, right: unknown, key: unknown) => unknown;

/** What an operator changes: after that the serde is unknown, and for a key, where the records belong. */
interface Changes {
  readonly key?: boolean;
  readonly value?: boolean;
}

const newKey: Changes = { key: true };
const newValue: Changes = { value: true };
const newKeyAndValue: Changes = { key: true, value: true };

interface MaybeSerdes {
  readonly keySerde?: Serde<unknown> | undefined;
  readonly valueSerde?: Serde<unknown> | undefined;
}

function withSerdes(state: StreamState, given: MaybeSerdes): StreamState {
  return { ...state, keySerde: given.keySerde ?? state.keySerde, valueSerde: given.valueSerde ?? state.valueSerde };
}

function repartitioned<K, V>(state: StreamState, name: string, step: Step, serdes: MaybeSerdes): KStream<K, V> {
  const { plan } = state;
  return new KStream<K, V>({
    ...withSerdes(state, serdes),
    plan,
    name,
    step,
    sources: new Set([step.name]),
    repartitionRequired: false,
  });
}
