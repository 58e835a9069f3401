import type { Serde } from '../../schemas/serde.ts';
import type { Operator } from './operator.ts';

/**
 * The topology as plain data: what the builder makes, and what everything else reads.
 *
 * Nodes are kept in the order in which they were added, children in the order in which they were connected; both
 * orders are part of the meaning (a record goes through the first child's descendants before the second child's).
 * Nothing here runs: the runtime (topology/runtime) executes a graph, `describe` prints it, `fingerprint` remembers it.
 */
export interface TopologyGraph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly stores: ReadonlyMap<string, StoreSpec>;
  /** Repartition topics by their name without the application id's prefix. */
  readonly internalTopics: ReadonlyMap<string, InternalTopicSpec>;
  readonly subtopologies: readonly Subtopology[];
  /** Sources whose topics must have as many partitions as each other, because an operator joins them. */
  readonly copartitionGroups: readonly CopartitionGroup[];
}

export interface CopartitionGroup {
  /** Names of source nodes. */
  readonly sources: readonly string[];
  /** The operator that joins them. */
  readonly operator: string;
}

export type GraphNode = SourceNode | ProcessorNode | SinkNode;

export interface SourceNode {
  readonly kind: 'source';
  readonly name: string;
  readonly topics: readonly string[] | RegExp;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly timestampExtractor: TimestampExtractor | undefined;
  readonly children: readonly string[];
}

export interface ProcessorNode {
  readonly kind: 'processor';
  readonly name: string;
  readonly operator: Operator;
  /** Names of the stores it is connected to. */
  readonly stores: readonly string[];
  readonly parents: readonly string[];
  readonly children: readonly string[];
}

export interface SinkNode {
  readonly kind: 'sink';
  readonly name: string;
  readonly topic: string | TopicNameExtractor;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly partitioner: StreamPartitioner | undefined;
  readonly parents: readonly string[];
}

/** Nodes that are connected by edges or shared stores; a task is a sub-topology and a partition. */
export interface Subtopology {
  readonly id: number;
  /** In topological order; ties as added. */
  readonly nodes: readonly string[];
  readonly sourceTopics: readonly (string | RegExp)[];
  readonly stores: readonly string[];
}

export interface InternalTopicSpec {
  readonly name: string;
  /** Unset: as many as the most that any source of the sub-topology above has. */
  readonly partitions: number | undefined;
}

export type StoreSpec = KeyValueStoreSpec | WindowStoreSpec;

interface StoreSpecBase {
  readonly name: string;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly storage: 'rocksdb' | 'memory';
  /** Record cache: on, an aggregate forwards one update a key at commit (when the runtime's cache is not 0 bytes). */
  readonly caching: boolean;
  /** Changelog topic on a distributed log. Embedded stores live in the commit's own database and need none. */
  readonly logging: boolean;
}

export interface KeyValueStoreSpec extends StoreSpecBase {
  readonly kind: 'key-value' | 'timestamped-key-value';
}

export interface WindowStoreSpec extends StoreSpecBase {
  readonly kind: 'window';
  readonly windowSizeMs: number;
  readonly retentionMs: number;
}

/** Event time of a record as read; `partitionTimeMs` is the highest seen in the partition, -1 before the first. */
export type TimestampExtractor = (
  record: { readonly key: unknown; readonly value: unknown; readonly timestamp: number },
  partitionTimeMs: number,
) => number;

export type TopicNameExtractor = (record: {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
}) => string;

/** Where a record goes: one partition, or several (KIP-837); undefined falls back to the hash of the key. */
export type StreamPartitioner<K = unknown, V = unknown> = (
  topic: string,
  key: K,
  value: V,
  partitions: number,
) => number | readonly number[] | undefined;
