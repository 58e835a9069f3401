import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe } from 'vitest';
import { startKafka, type KafkaBroker, type KafkaSettings } from '../../scripts/kafka/broker.ts';

/**
 * Tests against a real broker need Java 17 and, the first time, Maven. Without them they are skipped and say why; under `CI=true`
 * they run, and fail where Java is missing.
 */
const found = spawnSync('java', ['-version'], { encoding: 'utf8' });
const major = Number(/version "(\d+)/.exec(found.stderr ?? '')?.[1] ?? 0);
const why = major >= 17 ? undefined : `needs Java 17 or newer, found ${major === 0 ? 'none' : major}`;

export const describeWithKafka = (name: string, tests: () => void): void => {
  const runs = why === undefined || process.env['CI'] === 'true';
  describe.skipIf(!runs)(runs ? name : `${name} (${why})`, tests);
};

/** A broker for the tests of a `describe`. */
export function startedBroker(settings: KafkaSettings = {}): () => KafkaBroker {
  let broker: KafkaBroker | undefined;
  beforeAll(async () => {
    broker = await startKafka(settings);
  }, 290_000);
  afterAll(() => broker?.[Symbol.asyncDispose]());
  return () => broker!;
}
