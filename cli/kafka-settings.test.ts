import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { kafkaSettings } from './kafka-settings.ts';
import { readSettings, type Flags } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const of = (flags: Flags, environment = {}) => kafkaSettings(readSettings(flags, environment));
const registry = 'http://127.0.0.1:8081';

test('without --kafka the log is in the folder', () => {
  expect(of({})).toBe(undefined);
});

test('brokers and registry are enough; everything else is standard', () => {
  expect(of({ kafka: 'one:9092, two:9093', registry })).toEqual({
    log: { brokers: ['one:9092', 'two:9093'] },
    registry: { url: registry },
    applicationId: 'shop',
    standbyReplicas: 0,
    processingGuarantee: 'exactly_once',
    processId: expect.any(String) as string,
  });
});

test('a CA and a password make TLS and SCRAM, from wherever they are set', () => {
  const kafkaCa = join(folder, 'ca.pem');
  writeFileSync(kafkaCa, 'PEM');
  const environment = { MILLRACE_KAFKA: 'one:9092', MILLRACE_REGISTRY: registry, MILLRACE_KAFKA_PASSWORD: 'secret' };
  expect(of({ kafkaCa, kafkaUser: 'shop' }, environment)?.log).toEqual({
    brokers: ['one:9092'],
    ssl: { ca: 'PEM' },
    sasl: { mechanism: 'scram-sha-512', username: 'shop', password: 'secret' },
  });
  expect(of({ kafkaTls: true }, { ...environment, MILLRACE_KAFKA_USER: 'shop' })?.log.ssl).toBe(true);
});

describe('what does not go together is told in a sentence', () => {
  test.each<[Flags, string]>([
    [{ kafka: 'one' }, "--kafka wants host:port, or several with commas, found 'one'"],
    [{ kafka: 'one:9092' }, '--kafka wants --registry beside it, the address of a schema registry'],
    [{ registry }, '--registry goes with --kafka, which names the brokers'],
    [{ streamThreads: '2' }, '--stream-threads goes with --kafka, which names the brokers'],
    [{ standbyReplicas: '1' }, '--standby-replicas goes with --kafka, which names the brokers'],
    [
      { kafka: 'one:9092', registry, kafkaUser: 'shop' },
      '--kafka-user and MILLRACE_KAFKA_PASSWORD go together, found one of them',
    ],
    [{ kafka: 'one:9092', registry, kafkaCa: join(folder, 'none.pem') }, '--kafka-ca wants a PEM file: ENOENT'],
  ])('%j', (flags, message) => {
    expect(() => of(flags)).toThrow(message);
  });
});
