import { afterAll, beforeAll } from 'vitest';
import { logConformance } from '../../log/conformance/log-conformance.ts';
import { openKafkaLog, type Log } from '../../log/index.ts';
import { startKafka, type KafkaBroker } from '../../scripts/kafka/broker.ts';
import { describeWithKafka } from './real-kafka.ts';

describeWithKafka('on a real broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  }, 120_000);
  afterAll(() => broker?.[Symbol.asyncDispose]());

  const open = (): Promise<Log> =>
    openKafkaLog({ brokers: [broker.address], maxRecordBytes: 1_000_000, heartbeatIntervalMs: 100 });
  logConformance('the Kafka log', open, {
    producerSequences: false,
    awaitsRevocation: true,
    maxRecordBytes: 1_000_000,
    reopen: async (log) => {
      await log[Symbol.asyncDispose]();
      return open();
    },
  });
});
