import { int64Serde, type Serde } from '../../schemas/index.ts';
import type { TimeWindow, Aggregation } from '../graph/operator.ts';
import { AggregateBuilder } from './aggregate-builder.ts';
import { KTable } from './k-table.ts';
import { keyValueStore } from './materialize.ts';
import { materialized, type Stateful } from './options.ts';
import type { StreamState } from './stream-state.ts';
import { TimeWindowedKStream } from './time-windowed-k-stream.ts';

/**
 * Records by key, ready to be aggregated. Records with a null key or a null value are dropped and counted. An
 * aggregate's timestamp is the highest of the records in it.
 */
export class KGroupedStream<K, V> {
  readonly #state: StreamState;
  readonly #aggregates: AggregateBuilder;

  /** @internal Made by `KStream.groupByKey` and `groupBy`. */
  constructor(state: StreamState, groupedName: string | undefined) {
    this.#state = state;
    this.#aggregates = new AggregateBuilder(state, groupedName);
  }

  /** How many records each key has had, as `int64`. */
  count(options: Stateful<K, number> = {}): KTable<K, number> {
    const { names } = this.#state.plan;
    // Kafka Streams takes a number here for a store that it then names again.
    const store = materialized(options.store);
    if (store !== undefined && store.name === undefined) names.storeName('KSTREAM-AGGREGATE-');
    return this.#aggregate('KSTREAM-AGGREGATE-', { kind: 'count' }, options, int64Serde);
  }

  /** The first value of a key, then `reducer(aggregate, value)`; null deletes the key. */
  reduce(reducer: (aggregate: V, value: V) => V, options: Stateful<K, V> = {}): KTable<K, V> {
    const aggregation: Aggregation = { kind: 'reduce', reducer: reducer as (a: unknown, v: unknown) => unknown };
    return this.#aggregate('KSTREAM-REDUCE-', aggregation, options, this.#state.valueSerde);
  }

  /** `aggregator(key, value, aggregate)`, starting from the initializer's value; null deletes the key. */
  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A,
    options: Stateful<K, NoInfer<A>> = {},
  ): KTable<K, A> {
    const aggregation: Aggregation = {
      kind: 'aggregate',
      initializer,
      aggregator: aggregator as (key: unknown, value: unknown, aggregate: unknown) => unknown,
    };
    return this.#aggregate('KSTREAM-AGGREGATE-', aggregation, options, undefined);
  }

  /** The same by window of event time: one aggregate a key and window. */
  windowedBy(windows: TimeWindow): TimeWindowedKStream<K, V> {
    return new TimeWindowedKStream<K, V>(this.#state, this.#aggregates, windows);
  }

  #aggregate<A>(
    prefix: string,
    aggregation: Aggregation,
    options: Stateful<K, A>,
    defaultValueSerde: Serde<unknown> | undefined,
  ): KTable<K, A> {
    const { plan } = this.#state;
    const given = materialized(options.store);
    const storeName = given?.name ?? plan.names.storeName(prefix);
    const name = plan.names.given(options.name, prefix);
    const keySerde = (given?.keySerde as Serde<unknown> | undefined) ?? this.#state.keySerde;
    const valueSerde = (given?.valueSerde as Serde<unknown> | undefined) ?? defaultValueSerde;
    const store = keyValueStore(plan, { ...given, name: storeName, keySerde, valueSerde });
    const { step, sources } = this.#aggregates.add(name, store, { op: 'aggregate', store: storeName, aggregation });
    const state = { plan, name, step, keySerde, valueSerde, sources, repartitionRequired: false };
    return new KTable<K, A>(state, () => storeName);
  }
}
