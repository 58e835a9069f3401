/** The thread that owns the database, without the HTTP API beside it: for commands, and for threads that only send requests. */
export { errorFields, errorFrom } from './error-fields.ts';
export type { HostRequests } from './host-requests.ts';
export { hostTarget } from './host-target.ts';
export { Host, HostPort, type HostOptions } from './host.ts';
export type {
  Answers,
  ErrorFields,
  GenerationFacts,
  PartitionLag,
  ReplayRequest,
  ReplayStart,
  SourceOffset,
  StoreAnswer,
  StoreFacts,
} from './messages.ts';
export type { KafkaSettings } from './kafka-database.ts';
export { openRegistry } from './open-registry.ts';
export { recordedEvents, recordedVersions } from './recorded-events.ts';
export { spawnWorker } from './spawn-worker.ts';
export { openStreamThreads, threadUrl } from './stream-threads.ts';
export { HostStateReader } from './state-reader.ts';
export { readerWithView, viewOf } from '../view/served-state.ts';
