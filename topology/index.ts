/** Topologies: written with the DSL or node by node, kept as a plain graph, run by the runtime. */
export { KGroupedStream } from './dsl/k-grouped-stream.ts';
export { KStream } from './dsl/k-stream.ts';
export { KTable } from './dsl/k-table.ts';
export type {
  Consumed,
  Grouped,
  Joined,
  Materialized,
  Named,
  Processed,
  Produced,
  Repartitioned,
  Stateful,
  Tabled,
} from './dsl/options.ts';
export { Stores, type StoreOptions, type WindowStoreOptions } from './dsl/stores.ts';
export { StreamsBuilder, type StreamsBuilderOptions } from './dsl/streams-builder.ts';
export { TimeWindowedKStream } from './dsl/time-windowed-k-stream.ts';
export { TimeWindows } from './dsl/time-windows.ts';
export { timeWindowedSerde } from './dsl/windowed-serde.ts';
export { canonicalJson, compareFingerprints, fingerprint, type Fingerprint } from './graph/fingerprint.ts';
export type * from './graph/graph.ts';
export { matchesTopic, resolvePartitions, type Partitions } from './graph/partitions.ts';
export type { TopologyJson } from './graph/topology-json.ts';
export { partitionForKey } from '../log/index.ts';
export type * from './processor.ts';
export * from './record.ts';
export { Topology, type SinkOptions, type SourceOptions } from './topology.ts';
export {
  removeApplication,
  removeApplicationState,
  resetApplication,
  type ApplicationReset,
} from './runtime/application-reset.ts';
export { ownTopicName, readTopics, type TopicNaming } from './runtime/topic-names.ts';
export { addStore, type PartitionRow, type StoreAddition, type StoredTables } from './runtime/store-addition.ts';
export {
  EmbeddedRuntime,
  defaultConfig,
  type CommittedOffset,
  type MemoryPressure,
  type PublishedCommit,
  type RuntimeConfig,
  type RuntimeOptions,
} from './runtime/embedded-runtime.ts';
export {
  DistributedRuntime,
  defaultDistributedConfig,
  type ChangedStore,
  type DistributedConfig,
  type DistributedOptions,
  type StandbyStore,
  type TaskLag,
} from './distributed/distributed-runtime.ts';
export type { RestoreProgress } from './distributed/changelog-reader.ts';
export type { Host, TaskOwner } from './distributed/cluster.ts';
export { holdKey, type SourceGate, type SourceHold } from './distributed/source-gate.ts';
export type { ProcessingGuarantee } from './distributed/task-committer.ts';
export { logAndFail, type ExceptionHandlers, type FailureContext, type HandlerResponse } from './runtime/handlers.ts';
export { describeExecution } from './runtime/wiring.ts';
export {
  TopologyTestDriver,
  type TestDriverOptions,
  type TestInputTopic,
  type TestOutputTopic,
  type TestRecord,
} from './test-driver.ts';
export type {
  KeyValueStore,
  StateStore,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  WindowStore,
} from '../state/index.ts';
