export type { CompressionName } from './compression.ts';
export { openKafkaLog, type KafkaLogOptions } from './kafka-log.ts';
export type { Sasl, Tls } from './credentials.ts';
