import type { Serde } from '../../schemas/index.ts';
import type { StreamPartitioner, TimestampExtractor } from '../graph/graph.ts';

/**
 * What can be said about an operator, one options object a method. The nouns are Kafka Streams'.
 *
 * A serde that is not given is the one the data came with, as long as it is still the same data (a mapped value has
 * none); after that the builder's default.
 */
export interface Named {
  /** The node's name in `describe()`. Default: generated, `KSTREAM-FILTER-0000000003`. */
  readonly name?: string | undefined;
}

interface Serdes<K, V> {
  readonly keySerde?: Serde<K> | undefined;
  readonly valueSerde?: Serde<V> | undefined;
}

/** How a topic is read. */
export interface Consumed<K, V> extends Named, Serdes<K, V> {
  readonly timestampExtractor?: TimestampExtractor | undefined;
}

/** How a topic is written. */
export interface Produced<K, V> extends Named, Serdes<K, V> {
  readonly partitioner?: StreamPartitioner<K, V> | undefined;
}

/** `name` names the repartition topic, should one be needed: `<name>-repartition`. */
export interface Grouped<K, V> extends Named, Serdes<K, V> {}

/** `name` names the node, and the repartition topic of the stream's side. Serdes are the stream's. */
export interface Joined<K, V> extends Named, Serdes<K, V> {}

export interface Repartitioned<K, V> extends Named, Serdes<K, V> {
  /** Default: as many as the sources above have. */
  readonly partitions?: number | undefined;
  readonly partitioner?: StreamPartitioner<K, V> | undefined;
}

/** How a table is kept. */
export interface Materialized<K, V> extends Serdes<K, V> {
  /** The store's name, by which it is queried. Choose one: a generated name changes with the topology. */
  readonly name?: string | undefined;
  readonly storage?: 'rocksdb' | 'memory' | undefined;
  /** Record cache, on by default: one update a key and commit goes on, instead of every one. */
  readonly caching?: boolean | undefined;
  /** Changelog topic on a distributed log, on by default. */
  readonly logging?: boolean | undefined;
  /** Windows only: how long a window is kept at least. Window size and grace are always kept. */
  readonly retentionMs?: number | undefined;
}

export interface Stateful<K, V> extends Named {
  /** A name is short for `{ name }`. */
  readonly store?: string | Materialized<K, V> | undefined;
}

export interface Tabled<K, V> extends Consumed<K, V> {
  readonly store?: string | Materialized<K, V> | undefined;
}

export interface Processed extends Named {
  /** Names of stores that the processor uses; add them with `builder.addStateStore`. */
  readonly stores?: readonly string[] | undefined;
}

export function materialized<K, V>(store: string | Materialized<K, V> | undefined): Materialized<K, V> | undefined {
  return typeof store === 'string' ? { name: store } : store;
}
