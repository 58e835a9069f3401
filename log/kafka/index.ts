export type { CompressionName } from './compression.ts';
export { openKafkaLog, type KafkaLogOptions } from './kafka-log.ts';
export type { Sasl } from './kafkajs.ts';
