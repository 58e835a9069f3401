import { expect, test } from 'vitest';
import { openEmbeddedLog, type FetchedRecords, type TopicPartition } from '../../log/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import { ApplicationState } from '../runtime/application-state.ts';
import { storeChangelog } from './changelog.ts';
import { ChangelogReader, restore, type RestoreOptions, type RestoreProgress } from './changelog-reader.ts';

const of = { topic: 'app-store-changelog', partition: 0 };
const changelog = storeChangelog(of, Buffer.from('prefix'));

test('a restore tells how far it is, how fast, and how long it will yet take', async () => {
  await using setup = await changelogOf(100);
  const told: RestoreProgress[] = [];
  let taken = 0;
  await restore(changelog, setup.options, {
    cancelled: () => false,
    onProgress: (progress, records) => {
      told.push(progress);
      taken += records;
    },
  });
  expect(told).toHaveLength(10);
  expect(told.map(({ records }) => records)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  expect(told.every(({ recordsMax, endOffset, full }) => recordsMax === 100 && endOffset === 100 && full)).toBe(true);
  expect(told.every(({ recordsPerSecond }) => recordsPerSecond > 0)).toBe(true);
  expect(told[4]!.remainingMs).toBeGreaterThan(0);
  expect(told.at(-1)!.remainingMs).toBe(0);
  expect(taken).toBe(100);
});

test('one that was cancelled goes on where it was', async () => {
  await using setup = await changelogOf(100);
  let steps = 0;
  await restore(changelog, setup.options, { cancelled: () => steps === 3, onProgress: () => (steps += 1) });
  const told: RestoreProgress[] = [];
  await restore(changelog, setup.options, { cancelled: () => false, onProgress: (progress) => told.push(progress) });
  expect(told.at(-1)).toMatchObject({ records: 70, recordsMax: 70, offset: 100, full: false });
});

test('a position that is old begins anew, and one that was followed up to the end does not grow old', async () => {
  await using setup = await changelogOf(10);
  const ageMsMax = setup.options.positionAgeMsMax;
  const reader = await ChangelogReader.open(changelog, setup.options);
  await reader.next({ maxRecords: 10, maxBytes: 1 << 20 });
  for (let n = 0; n < 3; n++) {
    setup.clock.ms += ageMsMax / 2;
    await reader.lookAtEnd();
  }
  expect((await ChangelogReader.open(changelog, setup.options)).progress.full).toBe(false);
  setup.clock.ms += ageMsMax + 1;
  expect((await ChangelogReader.open(changelog, setup.options)).progress.full).toBe(true);
});

test('a changelog that was deleted and made anew is restored from its beginning, though the position lies within it', async () => {
  await using setup = await changelogOf(20);
  await restore(changelog, setup.options, { cancelled: () => false, onProgress: () => undefined });
  await setup.log.removeTopics({ removes: (name) => name === of.topic, group: 'none' });
  await setup.fill(30);
  const reader = await ChangelogReader.open(changelog, setup.options);
  expect(reader.progress).toMatchObject({ offset: 0, endOffset: 30, full: true });
});

/** A changelog of so many records, ten of which are read at a time. */
async function changelogOf(records: number) {
  const engine = createMemoryEngine();
  const commits = createGroupCommit(engine);
  const log = await openEmbeddedLog({ engine, commits });
  const fill = async (count: number) => {
    await log.createTopics([{ name: of.topic, partitions: 1 }]);
    await log.produce(
      of,
      Array.from({ length: count }, (_, n) => ({ key: Buffer.from(`k${n}`), value: Buffer.from('v'), timestamp: 0 })),
    );
  };
  await fill(records);
  const clock = { ms: 0 };
  const options: RestoreOptions = {
    log: {
      listOffsets: (...args) => log.listOffsets(...args),
      topicId: (topic) => log.topicId(topic),
      read: (partition: TopicPartition, offset: number): Promise<FetchedRecords> =>
        log.read(partition, offset, { maxRecords: 10, maxBytes: 1 << 20 }),
    },
    commits,
    state: new ApplicationState(engine, 'app'),
    nowMs: () => clock.ms,
    positionAgeMsMax: 1000,
  };
  return { log, fill, options, clock, [Symbol.asyncDispose]: () => log[Symbol.asyncDispose]() };
}
