/** Serving: the thread that owns the database, and the HTTP API beside it. */
export { defaultLimits, type ApiHost, type ApiLimits } from './api/context.ts';
export { buildServer, startServer, type ListenOptions, type RunningServer, type ServerOptions } from './api/server.ts';
export { errorFields, errorFrom } from './host/error-fields.ts';
export { Host, HostPort, type HostOptions } from './host/host.ts';
export { hostTarget } from './host/host-target.ts';
export type {
  Answers,
  ErrorFields,
  GenerationFacts,
  HostSettings,
  PartitionLag,
  ProduceAnswer,
  Publication,
  ReplayProgress,
  ReplayRequest,
  ReplayStart,
  Request,
  ScanAnswer,
  SourceOffset,
  StoreAnswer,
  StoreFacts,
} from './host/messages.ts';
export { packRecords, unpackRecords, type PlacedRecord } from './host/packed-records.ts';
export { publishedStores } from './host/published-stores.ts';
export { spawnWorker } from './host/spawn-worker.ts';
export { hostMemory, memoryShares, type MemoryShares } from './memory-shares.ts';
export { LookupView, type LookupViewOptions } from './view/lookup-view.ts';
