import { int64Serde, type Serde } from '../../schemas/index.ts';
import type { Aggregation, TimeWindow } from '../graph/operator.ts';
import { topologyInvalid } from '../graph/topology-invalid.ts';
import type { Windowed } from '../record.ts';
import type { AggregateBuilder } from './aggregate-builder.ts';
import { KTable } from './k-table.ts';
import { windowStore } from './materialize.ts';
import { materialized, type Stateful } from './options.ts';
import type { StreamState } from './stream-state.ts';
import { timeWindowedSerde } from './windowed-serde.ts';

/**
 * Records by key and window of event time. Records with a null key are dropped and counted, so are late ones (see
 * `TimeWindows`); a null value counts as any other. Windows are kept for `retentionMs`, and at least for their size and
 * grace.
 */
export class TimeWindowedKStream<K, V> {
  readonly #state: StreamState;
  readonly #aggregates: AggregateBuilder;
  readonly #window: TimeWindow;

  /** @internal Made by `KGroupedStream.windowedBy`. */
  constructor(state: StreamState, aggregates: AggregateBuilder, { sizeMs, advanceMs, graceMs }: TimeWindow) {
    if (advanceMs !== sizeMs) {
      throw topologyInvalid(
        `Window advance wants ${sizeMs} ms, the window's size, found ${advanceMs} ms: hopping windows are not there yet`,
        { sizeMs, advanceMs },
      );
    }
    this.#state = state;
    this.#aggregates = aggregates;
    this.#window = { sizeMs, advanceMs, graceMs };
  }

  /** How many records each key has in each window, as `int64`. */
  count(options: Stateful<K, number> = {}): KTable<Windowed<K>, number> {
    const { names } = this.#state.plan;
    // As for the plain count: a number that Kafka Streams takes and does not use.
    const store = materialized(options.store);
    if (store !== undefined && store.name === undefined) names.storeName('KSTREAM-AGGREGATE-');
    return this.#aggregate('KSTREAM-AGGREGATE-', { kind: 'count' }, options, int64Serde);
  }

  reduce(reducer: (aggregate: V, value: V) => V, options: Stateful<K, V> = {}): KTable<Windowed<K>, V> {
    const aggregation: Aggregation = { kind: 'reduce', reducer: reducer as (a: unknown, v: unknown) => unknown };
    return this.#aggregate('KSTREAM-REDUCE-', aggregation, options, this.#state.valueSerde);
  }

  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A,
    options: Stateful<K, NoInfer<A>> = {},
  ): KTable<Windowed<K>, A> {
    const aggregation: Aggregation = {
      kind: 'aggregate',
      initializer,
      aggregator: aggregator as (key: unknown, value: unknown, aggregate: unknown) => unknown,
    };
    return this.#aggregate('KSTREAM-AGGREGATE-', aggregation, options, undefined);
  }

  #aggregate<A>(
    prefix: string,
    aggregation: Aggregation,
    options: Stateful<K, A>,
    defaultValueSerde: Serde<unknown> | undefined,
  ): KTable<Windowed<K>, A> {
    const { plan } = this.#state;
    const given = materialized(options.store);
    const storeName = given?.name ?? plan.names.storeName(prefix);
    const name = plan.names.given(options.name, prefix);
    const inner = (given?.keySerde as Serde<unknown> | undefined) ?? this.#state.keySerde;
    const valueSerde = (given?.valueSerde as Serde<unknown> | undefined) ?? defaultValueSerde;
    const window = this.#window;
    const store = windowStore(plan, { ...given, name: storeName, keySerde: inner, valueSerde }, window);
    const operator = { op: 'windowedAggregate', store: storeName, window, aggregation } as const;
    const { step, sources } = this.#aggregates.add(name, store, operator);
    const keySerde = timeWindowedSerde(inner ?? plan.keySerde, window.sizeMs) as Serde<unknown>;
    const state = { plan, name, step, keySerde, valueSerde, sources, repartitionRequired: false };
    return new KTable<Windowed<K>, A>(state, () => storeName);
  }
}
