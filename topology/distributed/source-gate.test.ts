import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openEmbeddedLog, type ConsumedOffset, type Log } from '../../log/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import type { SourceGate, SourceHold } from './source-gate.ts';
import { allSent, expectedUpdates, Instance, partitions, produceLines, sentCounts } from './word-counts.testing.ts';

const marks = { topic: 'marks', partition: 0 };
const topics = new Set(['lines']);

async function openLog(): Promise<Log> {
  const engine = createMemoryEngine();
  const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  await log.createTopics([
    { name: 'lines', partitions },
    { name: 'marks', partitions: 1 },
  ]);
  return log;
}

/** What somebody who coordinates has decided; an instance sees it when it looks. */
class Decided {
  hold: SourceHold | undefined;
  isOpen = true;

  gate(): SourceGate {
    const seen: { hold: SourceHold | undefined; isOpen: boolean } = { hold: undefined, isOpen: true };
    const refresh = async (): Promise<void> => {
      seen.hold = this.hold;
      seen.isOpen = this.isOpen;
    };
    return {
      refresh,
      get isOpen() {
        return seen.isOpen;
      },
      get hold() {
        return seen.hold;
      },
      endOf: () => undefined,
    };
  }
}

async function marked(log: Log): Promise<ReadonlyMap<string, readonly ConsumedOffset[]>> {
  const { records } = await log.read(marks, 0, { maxRecords: 1000, maxBytes: 1_000_000 });
  return new Map(
    records.map(({ key, value }) => [Buffer.from(key!).toString(), JSON.parse(Buffer.from(value!).toString())]),
  );
}

async function allMarked(log: Log): Promise<readonly ConsumedOffset[]> {
  for (;;) {
    const found = await marked(log);
    if (found.size === partitions) return [...found.values()].flat();
    await sleep(5);
  }
}

const inOrder = (offsets: readonly ConsumedOffset[]) => offsets.toSorted((a, b) => a.partition - b.partition);

test('held sources are read by nobody past what each task has told, and what lies before has its results', async () => {
  await using log = await openLog();
  const decided = new Decided();
  const gates = [decided.gate(), decided.gate()];
  await using first = await Instance.start(log, 'words', { gate: gates[0]! });
  await using second = await Instance.start(log, 'words', { gate: gates[1]! });
  await produceLines(log, 0, 400);
  while ((await sentCounts(log)).size < 20) await sleep(2);

  decided.hold = { id: 'one', marks, topics };
  for (const gate of gates) await gate.refresh();
  await produceLines(log, 400, 500);
  const ends = await allMarked(log);
  while (!(await first.runtime.hasReached(ends))) await sleep(5);
  expect(await first.runtime.hasReached(ends.map((end) => ({ ...end, offset: end.offset + 1 })))).toBe(false);
  const sent = await sentCounts(log);

  // Another owner of all tasks: it has only the log to know where they hold.
  await second.runtime.stop();
  while (first.runtime.tasks.running.length < 2 * partitions) await sleep(5);
  await produceLines(log, 500, 600);
  await sleep(100);
  expect(await sentCounts(log)).toEqual(sent);
  expect(await log.committedOffsets('words', inOrder(ends))).toEqual(inOrder(ends).map(({ offset }) => offset));

  decided.hold = undefined;
  await gates[0]!.refresh();
  expect(await allSent(log, 600)).toEqual(expectedUpdates(600));
});

test('a task that is opened after the decision holds where its last owner has left it', async () => {
  await using log = await openLog();
  const decided = new Decided();
  const before = await Instance.start(log, 'words', { gate: decided.gate() });
  await produceLines(log, 0, 100);
  await allSent(log, 100);
  await before.runtime.abandon();
  await produceLines(log, 100, 200);
  decided.hold = { id: 'one', marks, topics };
  await using after = await Instance.start(log, 'words', { gate: decided.gate(), engine: before.engine });
  const ends = await allMarked(log);
  expect(ends.reduce((sum, { offset }) => sum + offset, 0)).toBe(100);
  expect(await sentCounts(log)).toEqual(expectedUpdates(100));
  expect(after.runtime.tasksReading(topics)).toHaveLength(partitions);
});

test('an application whose run is over opens no task', async () => {
  await using log = await openLog();
  const decided = new Decided();
  decided.isOpen = false;
  await using instance = await Instance.start(log, 'words', { gate: decided.gate() });
  await produceLines(log, 0, 100);
  while (instance.runtime.tasks.assigned.length < 2 * partitions) await sleep(5);
  await sleep(50);
  expect(instance.runtime.tasks.running).toEqual([]);
});

test('an application that follows another reads no further than that one has committed, and writes to topics of its own', async () => {
  await using log = await openLog();
  const decided = new Decided();
  const gate = decided.gate();
  await using _first = await Instance.start(log, 'words', { gate });
  await produceLines(log, 0, 300);
  await allSent(log, 300);

  const ends = new Map<number, number>();
  const refresh = async (): Promise<void> => {
    const of = Array.from({ length: partitions }, (_, partition) => ({ topic: 'lines', partition }));
    (await log.committedOffsets('words', of)).forEach((offset, partition) => ends.set(partition, offset ?? 0));
  };
  const following: SourceGate = {
    refresh,
    isOpen: true,
    hold: undefined,
    endOf: ({ topic, partition }) => (topics.has(topic) ? ends.get(partition) : undefined),
  };
  await using second = await Instance.start(log, 'words.g2', {
    gate: following,
    ownOutputs: true,
    group: 'words.g2.1',
  });
  while ((await sentCounts(log, 'words.g2-counts')).size === 0) await sleep(5);
  expect(await allSent(log, 300, 30_000, 'words.g2-counts')).toEqual(expectedUpdates(300));

  await produceLines(log, 300, 500);
  await allSent(log, 500);
  await sleep(50);
  expect(await sentCounts(log, 'words.g2-counts')).toEqual(expectedUpdates(300));
  decided.hold = { id: 'one', marks, topics };
  await gate.refresh();
  const held = await allMarked(log);
  await produceLines(log, 500, 600);
  await refresh();
  while (!(await second.runtime.hasReached(held))) await sleep(5);
  expect(await sentCounts(log, 'words.g2-counts')).toEqual(expectedUpdates(500));
  expect(await log.committedOffsets('words', [marks])).toEqual([undefined]);
  expect(await log.committedOffsets('words.g2', [{ topic: 'lines', partition: 0 }])).toEqual([undefined]);
});
