import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { logConformance } from '../../log/conformance/log-conformance.ts';
import { newTopic, readAll, uniqueName, valuesOf } from '../../log/conformance/support.ts';
import { openKafkaLog, type KafkaLogOptions, type Log } from '../../log/index.ts';
import type { KafkaBroker } from '../../scripts/kafka/broker.ts';
import { describeWithKafka, startedBroker } from './real-kafka.ts';

/** Small in every time, so that a test waits for none. */
const quick = { heartbeatIntervalMs: 100, maxRecordBytes: 1_000_000 };

describeWithKafka('on a real broker', () => {
  const broker = startedBroker();
  const open = () => openKafkaLog({ brokers: [broker().address], ...quick });
  logConformance('the Kafka log', open, supports(open));

  describe('a log on a broker that does not answer', () => {
    it('says so within its time', async () => {
      const closed = { brokers: ['127.0.0.1:9'], requestTimeoutMs: 500, retryMs: 1000 };
      await expect(openKafkaLog(closed)).rejects.toMatchObject({
        code: 'KAFKA_UNREACHABLE',
        facts: { brokers: '127.0.0.1:9' },
      });
    });
  });

  describe("Kafka's Java client", () => {
    const count = 500;
    const wanted = Array.from({ length: count }, (_, n) => [`key ${n}`, `value ${n} `.repeat(20).trim()] as const);

    it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
      'and we read what the other writes with %s',
      async (name) => {
        await using log = await openKafkaLog({ brokers: [broker().address], compression: name });
        const ours = await newTopic(log);
        await log.produce(
          ours,
          wanted.map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value), timestamp: Date.now() })),
        );
        const read = await javaPeer(broker(), 'consume', ours.topic, String(count));
        expect(read.trimEnd().split('\n')).toEqual(wanted.map(([key, value]) => `${key} ${value}`));

        const theirs = await newTopic(log);
        await javaPeer(broker(), 'produce', theirs.topic, name, String(count));
        expect(valuesOf(await readAll(log, theirs))).toEqual(wanted.map(([, value]) => value));
      },
    );

    it('sees of our transactions what was committed', async () => {
      await using log = await open();
      const partition = await newTopic(log);
      const record = (value: string) => ({ key: Buffer.from('k'), value: Buffer.from(value), timestamp: 0 });
      for (const value of ['one', 'two']) {
        const transaction = (await log.openProducer(uniqueName('tx'))).begin();
        transaction.send(partition, [record(value)]);
        await transaction.commit();
      }
      expect(await javaPeer(broker(), 'consume', partition.topic, '2')).toBe('k one\nk two\n');
    });
  });
});

describeWithKafka('on a real broker with TLS and SCRAM', () => {
  const broker = startedBroker({ secure: true });
  const options = (): KafkaLogOptions => ({ brokers: [broker().address], ...quick, ...broker().access });
  const open = () => openKafkaLog(options());
  logConformance('the Kafka log', open, supports(open));

  it('a wrong password is one clear error', async () => {
    const sasl = { ...broker().access!.sasl, password: 'guessed' };
    await expect(openKafkaLog({ ...options(), sasl })).rejects.toMatchObject({
      code: 'KAFKA_AUTHENTICATION_FAILED',
      message: expect.stringMatching(/^Kafka at 127\.0\.0\.1:\d+ refused the user name or password \(.+\)$/) as string,
    });
  });

  it('a wrong CA is one clear error', async () => {
    await expect(openKafkaLog({ ...options(), ssl: true })).rejects.toMatchObject({
      code: 'KAFKA_AUTHENTICATION_FAILED',
      message: expect.stringMatching(
        /^The certificate of Kafka at 127\.0\.0\.1:\d+ is not trusted; check the CA/,
      ) as string,
    });
  });
});

function supports(open: () => Promise<Log>) {
  return {
    producerSequences: false,
    awaitsRevocation: true,
    maxRecordBytes: quick.maxRecordBytes,
    reopen: async (log: Log) => {
      await log[Symbol.asyncDispose]();
      return open();
    },
  };
}

async function javaPeer({ classpath, address }: KafkaBroker, task: string, ...args: string[]): Promise<string> {
  const source = fileURLToPath(new URL('JavaPeer.java', import.meta.url));
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
  return (await promisify(execFile)('java', [quiet, '-cp', classpath, source, task, address, ...args])).stdout;
}
