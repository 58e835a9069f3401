import type { Serde } from '../../schemas/index.ts';
import type { StoreSpec } from '../graph/graph.ts';
import { topologyInvalid } from '../graph/topology-invalid.ts';
import type { Topology } from '../topology.ts';
import { KStream } from './k-stream.ts';
import { KTable } from './k-table.ts';
import { keyValueStore } from './materialize.ts';
import { checkedName } from './names.ts';
import { materialized, type Consumed, type Tabled } from './options.ts';
import { Plan, type Step } from './plan.ts';

export interface StreamsBuilderOptions {
  /** Serdes wherever none is given and none is known. Default: JSON. */
  readonly keySerde?: Serde<unknown> | undefined;
  readonly valueSerde?: Serde<unknown> | undefined;
}

/**
 * Writes a topology the way Kafka Streams does it: streams and tables, and what is done with them.
 *
 * Operators have the names that Kafka Streams would give them, in the same order, and so have stores and repartition
 * topics. Wrong use throws `TOPOLOGY_INVALID`, at the call where it can, at `build()` otherwise.
 *
 * @example
 * const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
 * builder
 *   .stream<string, string>('lines')
 *   .flatMapValues((line) => line.split(' '))
 *   .groupBy((_, word) => word, { name: 'by-word' })
 *   .count({ name: 'count', store: 'counts' })
 *   .toStream()
 *   .to('word-counts', { valueSerde: int64Serde });
 * const topology = builder.build();
 */
export class StreamsBuilder {
  readonly #plan: Plan;
  readonly #sources: { readonly topics: readonly string[] | RegExp; readonly step: Step; readonly serdes: string }[] =
    [];

  constructor(options: StreamsBuilderOptions = {}) {
    this.#plan = new Plan(options, (state) => new KStream(state));
  }

  /**
   * The records of a topic, of several, or of all topics whose whole name matches the pattern. A second stream over the
   * same topics shares the first one's source.
   */
  stream<K = unknown, V = unknown>(
    topics: string | readonly string[] | RegExp,
    consumed: Consumed<K, V> = {},
  ): KStream<K, V> {
    const names = topics instanceof RegExp ? topics : [topics].flat();
    const name = this.#plan.names.given(consumed.name, 'KSTREAM-SOURCE-');
    const step = this.#source(name, names, consumed);
    return new KStream<K, V>({
      plan: this.#plan,
      name,
      step,
      keySerde: consumed.keySerde as Serde<unknown> | undefined,
      valueSerde: consumed.valueSerde as Serde<unknown> | undefined,
      sources: new Set([step.name]),
      repartitionRequired: false,
    });
  }

  /**
   * The newest value of each key of a topic; a null value deletes its key. Records with a null key are dropped and
   * counted. Without a store's name the table is kept only if something reads it.
   */
  table<K = unknown, V = unknown>(topic: string, options: Tabled<K, V> = {}): KTable<K, V> {
    const plan = this.#plan;
    const given = materialized(options.store);
    const generatedName = given?.name === undefined ? plan.names.storeName(`${topic}-`) : undefined;
    const sourceName =
      options.name === undefined ? plan.names.processorName('KSTREAM-SOURCE-') : `${options.name}-source`;
    const name = plan.names.given(options.name, 'KTABLE-SOURCE-');
    const keySerde = (given?.keySerde ?? options.keySerde) as Serde<unknown> | undefined;
    const valueSerde = (given?.valueSerde ?? options.valueSerde) as Serde<unknown> | undefined;
    const store = keyValueStore(plan, { ...given, name: given?.name ?? generatedName!, keySerde, valueSerde });
    let isKept = given?.name !== undefined;
    const step = plan.add({
      name,
      parents: [],
      write(topology) {
        const serdes = { keySerde: keySerde ?? plan.keySerde, valueSerde: valueSerde ?? plan.valueSerde };
        topology.addSource(sourceName, topic, { ...serdes, timestampExtractor: options.timestampExtractor });
        topology.addOperator(name, { op: 'tableSource', store: isKept ? store.name : undefined }, [sourceName]);
        if (isKept) topology.addStateStore(store, name);
      },
    });
    const state = {
      plan,
      name,
      step,
      keySerde,
      valueSerde,
      sources: new Set([sourceName]),
      repartitionRequired: false,
    };
    return new KTable<K, V>(state, () => {
      isKept = true;
      return store.name;
    });
  }

  /** A store for processors: connect it with `process(supplier, { stores: [name] })`. */
  addStateStore(store: StoreSpec): this {
    checkedName(store.name);
    this.#plan.addStore(store);
    return this;
  }

  /** What was said so far, as a topology of its own: the builder can go on. */
  build(): Topology {
    return this.#plan.build();
  }

  #source<K, V>(name: string, topics: readonly string[] | RegExp, consumed: Consumed<K, V>): Step {
    const plan = this.#plan;
    const keySerde = consumed.keySerde ?? plan.keySerde;
    const valueSerde = consumed.valueSerde ?? plan.valueSerde;
    const serdes = `${keySerde.name}/${valueSerde.name}`;
    const existing = this.#sources.find((source) => sameTopics(source.topics, topics));
    if (existing !== undefined) {
      if (existing.serdes !== serdes) {
        throw topologyInvalid(
          `Source '${existing.step.name}' reads ${String(topics)} with serdes ${existing.serdes}, found ${serdes} in '${name}'`,
          { node: name },
        );
      }
      return existing.step;
    }
    const { timestampExtractor } = consumed;
    const step = plan.add({
      name,
      parents: [],
      write: (topology) => void topology.addSource(name, topics, { keySerde, valueSerde, timestampExtractor }),
    });
    this.#sources.push({ topics, step, serdes });
    return step;
  }
}

function sameTopics(a: readonly string[] | RegExp, b: readonly string[] | RegExp): boolean {
  if (a instanceof RegExp || b instanceof RegExp) return String(a) === String(b);
  return a.length === b.length && a.every((topic) => b.includes(topic));
}
