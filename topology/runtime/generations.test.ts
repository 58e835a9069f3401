import { expect, test } from 'vitest';
import { openEmbeddedLog, type EmbeddedLog } from '../../log/index.ts';
import { stringSerde } from '../../schemas/index.ts';
import { createGroupCommit, createMemoryEngine, type Engine, type GroupCommit } from '../../state/index.ts';
import { StreamsBuilder, type TimestampedKeyValueStore } from '../index.ts';
import { removeApplication } from './application-reset.ts';
import { EmbeddedRuntime, type RuntimeOptions } from './embedded-runtime.ts';

const source = { topic: 'words', partition: 0 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Words in capitals, by way of a topic that others read too, counted. */
function counting() {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('words')
    .mapValues((word) => {
      if (word === 'bad') throw new Error('a bad word');
      return word.toUpperCase();
    })
    .to('capitals');
  builder.stream<string, string>('capitals').groupByKey().count({ name: 'count', store: 'counts' });
  return builder.build();
}

interface Opened {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
}

async function opened(): Promise<Opened> {
  const engine = createMemoryEngine();
  const commits = createGroupCommit(engine);
  const log = await openEmbeddedLog({ engine, commits });
  await log.createTopics([{ name: 'words', partitions: 1 }]);
  return { engine, commits, log };
}

function runtimeOf(of: Opened, applicationId: string, options: Partial<RuntimeOptions> = {}): Promise<EmbeddedRuntime> {
  const handlers = { processing: () => 'dead-letter' as const };
  const deadLetterTopic = 'bad-words';
  return EmbeddedRuntime.open({ ...of, topology: counting(), applicationId, handlers, deadLetterTopic, ...options });
}

async function produce({ log }: Opened, ...words: readonly string[]): Promise<void> {
  await log.produce(
    source,
    words.map((word) => ({ key: bytes(word), value: bytes(word), timestamp: 0 })),
  );
}

async function records({ log }: Opened, topic: string): Promise<string[]> {
  const { records: found } = await log.read({ topic, partition: 0 }, 0, { maxRecords: 100, maxBytes: 1e6 });
  return found.map(({ value }) => new TextDecoder().decode(value!));
}

async function count(runtime: EmbeddedRuntime, word: string): Promise<number | undefined> {
  const [store] = runtime.stores('counts') as unknown as readonly TimestampedKeyValueStore<string, number>[];
  return (await store!.get(word))?.value;
}

test('with outputs of its own, an application writes and reads nothing that others know but its sources', async () => {
  const all = await opened();
  const first = await runtimeOf(all, 'first');
  await produce(all, 'a', 'b', 'bad', 'a');
  await first.drain();
  const second = await runtimeOf(all, 'second', { ownOutputs: true });
  await second.drain();
  expect(await count(second, 'a')).toBe(2);
  expect(await records(all, 'capitals')).toEqual(['A', 'B', 'A']);
  expect(await records(all, 'second-capitals')).toEqual(['A', 'B', 'A']);
  expect(await records(all, 'bad-words')).toEqual(['bad']);
  expect(await records(all, 'second-bad-words')).toEqual(['bad']);
  await first.stop();
  await second.stop();
});

test('two runtimes finish at one cut while records go on coming, and the other goes on behind it', async () => {
  const all = await opened();
  const first = await runtimeOf(all, 'first');
  const second = await runtimeOf(all, 'second', { ownOutputs: true });
  first.start();
  second.start();
  await produce(all, 'a', 'b', 'c');
  await first.caughtUp();
  await produce(all, 'd');
  const cut = [{ ...source, offset: all.log.committedEnd(source) }];
  const finished = [first.finishAt(cut), second.finishAt(cut)];
  await produce(all, 'e', 'f');
  await Promise.all(finished);
  const read = (runtime: EmbeddedRuntime) => runtime.committedOffsets.find(({ topic }) => topic === 'words')!.offset;
  expect([read(first), read(second)]).toEqual([4, 4]);
  expect(await records(all, 'capitals')).toEqual(['A', 'B', 'C', 'D']);

  // What others hear goes on with the second's results, from the cut on.
  await all.commits.submit((writer) => {
    all.log.stageOffsets(writer, 'second', [
      { topic: 'capitals', partition: 0, offset: all.log.committedEnd({ topic: 'capitals', partition: 0 }) },
    ]);
  });
  const taken = await runtimeOf(all, 'second');
  await taken.drain();
  expect(await records(all, 'capitals')).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
  expect(await count(taken, 'e')).toBe(1);
  expect(await count(taken, 'a')).toBe(1);
  await taken.stop();
});

test('a removed application leaves nothing behind, and the others as they were', async () => {
  const all = await opened();
  const first = await runtimeOf(all, 'first');
  await produce(all, 'a', 'bad');
  await first.drain();
  const contents = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const family of ['state', 'meta', 'log'] as const) {
      for await (const chunk of all.engine.range(family, { gte: new Uint8Array(), lt: Uint8Array.of(255) })) {
        for (const { key } of chunk) found.push(`${family} ${Buffer.from(key).toString('latin1')}`);
      }
    }
    return found;
  };
  const before = await contents();
  const second = await runtimeOf(all, 'second', { ownOutputs: true });
  await second.drain();
  await second.stop();
  expect((await contents()).length).toBeGreaterThan(before.length + 10);
  await removeApplication(all, 'second');
  expect(await contents()).toEqual(before);
  expect((await all.log.topics()).map(({ name }) => name)).not.toContain('second-capitals');
  await first.stop();
});

test('a runtime in the background takes its turn when it is given one', async () => {
  const all = await opened();
  const turn = { go: (): void => undefined };
  let asked = 0;
  const background = (): Promise<void> =>
    new Promise((resolve) => {
      asked += 1;
      turn.go = resolve;
    });
  const runtime = await runtimeOf(all, 'first', { background });
  await produce(all, 'a');
  runtime.start();
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toBe(1);
  expect(await records(all, 'capitals')).toEqual([]);
  const goOn = setInterval(() => turn.go(), 1);
  await runtime.caughtUp();
  expect(await records(all, 'capitals')).toEqual(['A']);
  await runtime.stop();
  clearInterval(goOn);
});
