export type { LogAppender } from './appender.ts';
export { noteAppendTimes } from './append-times.ts';
export {
  openEmbeddedLog,
  type EmbeddedLog,
  type EmbeddedLogOptions,
  type PartitionStats,
  type TopicStats,
} from './embedded-log.ts';
export { recordBytes } from '../record-bytes.ts';
export type { RecordRemoval } from './record-removal.ts';
export { stageTopicRemoval, type TopicRemoval } from './topic-removal.ts';
