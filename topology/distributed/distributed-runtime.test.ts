import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../../log/conformance/support.ts';
import { openEmbeddedLog, type Log } from '../../log/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import { faults } from '../runtime/faults.ts';
import {
  allSent,
  expectedUpdates,
  Instance,
  partitions,
  produceLines,
  quick,
  sentCounts,
} from './word-counts.testing.ts';

/** Of the runtime alone: the log is the embedded one, shared by instances of this process. On real brokers: tests/kafka. */
async function openLog(): Promise<Log> {
  const engine = createMemoryEngine();
  const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  await log.createTopics([{ name: 'lines', partitions }]);
  return log;
}

const partitionNumbers = Array.from({ length: partitions }, (_, partition) => partition);

afterEach(() => {
  faults.reached = undefined;
});

test('one instance counts every line once, and its changelogs have what its stores have', async () => {
  await using log = await openLog();
  await produceLines(log, 0, 500);
  await using instance = await Instance.start(log, 'words');
  expect(await allSent(log, 500)).toEqual(expectedUpdates(500));
  expect(instance.runtime.tasks.running).toEqual(['0_0', '0_1', '0_2', '0_3', '1_0', '1_1', '1_2', '1_3']);
  expect((await log.topics()).map(({ name }) => name).toSorted()).toEqual([
    'counts',
    'lines',
    'words-counts-changelog',
    'words-counts-repartition',
    'words-task-state-changelog',
  ]);
});

test('instances share the tasks, and hand them over without losing or doubling anything', async () => {
  await using log = await openLog();
  await using first = await Instance.start(log, 'words');
  await produceLines(log, 0, 300);
  const second = await Instance.start(log, 'words');
  await produceLines(log, 300, 600);
  await allSent(log, 600);
  const tasks = [first, second].map(({ runtime }) => runtime.tasks.running);
  expect(tasks.map(({ length }) => length)).toEqual([4, 4]);
  expect(new Set(tasks.flat()).size).toBe(8);
  await second[Symbol.asyncDispose]();
  await produceLines(log, 600, 900);
  expect(await allSent(log, 900)).toEqual(expectedUpdates(900));
  expect(first.runtime.failure).toBe(undefined);
});

test('an instance tells when the whole group has caught up, and which offsets its own state follows from', async () => {
  await using log = await openLog();
  await using first = await Instance.start(log, 'words');
  await using second = await Instance.start(log, 'words');
  await produceLines(log, 0, 400);
  await first.runtime.caughtUp();
  expect(await sentCounts(log)).toEqual(expectedUpdates(400));
  const read = [first, second].flatMap(({ runtime }) => runtime.committedOffsets);
  for (const { topic, partition, offset } of read) {
    expect([topic, partition, offset]).toEqual([
      topic,
      partition,
      await log.listOffsets({ topic, partition }, 'latest'),
    ]);
  }
  expect(read).toHaveLength(2 * partitions);
  await second.runtime.stop();
  await expect(second.runtime.caughtUp()).rejects.toMatchObject({ code: 'TASK_STOPPED' });
});

test('after a crash nothing is counted twice, and the same folder needs only the tail of its changelogs', async () => {
  await using log = await openLog();
  await produceLines(log, 0, 400);
  const before = await Instance.start(log, 'words');
  await allSent(log, 400);
  // The transaction is committed, the local database is not: the worst moment.
  let crashed = false;
  const crash = new Promise<void>((resolve) => {
    faults.reached = (point) => {
      if (point !== 'after-transaction' || crashed) return;
      crashed = true;
      resolve();
      throw new Error('the process dies here');
    };
  });
  await produceLines(log, 400, 500);
  await crash;
  faults.reached = undefined;
  await before.runtime.abandon();

  await using after = await Instance.start(log, 'words', { engine: before.engine });
  await produceLines(log, 500, 600);
  expect(await allSent(log, 600)).toEqual(expectedUpdates(600));
  // At least of the clocks that the crashed commit moved.
  expect(after.restored.length).toBeGreaterThan(0);
  expect(after.restored.filter((each) => each.includes('full'))).toEqual([]);
});

test('an empty folder is restored from the changelogs', async () => {
  await using log = await openLog();
  await produceLines(log, 0, 300);
  const before = await Instance.start(log, 'words');
  await allSent(log, 300);
  await before[Symbol.asyncDispose]();
  await using after = await Instance.start(log, 'words');
  await produceLines(log, 300, 400);
  expect(await allSent(log, 400)).toEqual(expectedUpdates(400));
  expect(after.restored.some((each) => /^words-counts-changelog\/\d full [1-9]/.test(each))).toBe(true);
});

test('what was processed of a repartition topic is deleted, and nothing else', async () => {
  await using log = await openLog();
  const config = { ...quick, repartitionPurgeIntervalMs: 10 };
  const first = await Instance.start(log, 'words', { config });
  for (let from = 0; from < 300; from += 50) {
    await produceLines(log, from, from + 50);
    await allSent(log, from + 50);
  }
  const starts = async (topic: string) =>
    await Promise.all(partitionNumbers.map((partition) => log.listOffsets({ topic, partition }, 'earliest')));
  while ((await starts('words-counts-repartition')).some((start) => start === 0)) await sleep(10);
  await first.runtime.abandon();
  const committed = await log.committedOffsets(
    'words',
    partitionNumbers.map((partition) => ({ topic: 'words-counts-repartition', partition })),
  );
  for (const [at, start] of (await starts('words-counts-repartition')).entries()) {
    expect(start).toBeLessThanOrEqual(committed[at]!);
  }
  for (const kept of ['lines', 'counts', 'words-counts-changelog']) expect(await starts(kept)).toEqual([0, 0, 0, 0]);

  await using _second = await Instance.start(log, 'words', { config });
  await produceLines(log, 300, 400);
  expect(await allSent(log, 400)).toEqual(expectedUpdates(400));
});

test('a zombie that goes on after its tasks were taken over changes nothing', async () => {
  await using log = await openLog();
  await produceLines(log, 0, 200);
  await using zombie = await Instance.start(log, 'words');
  await allSent(log, 200);
  // Another takes the ids over, as an instance does that gets the tasks while this one is thought dead.
  for (const task of zombie.runtime.tasks.running) await log.openProducer(`words-${task}`);
  await produceLines(log, 200, 400);
  await sleep(100);
  // It was fenced, forgot what it had done, and took its tasks back: they are still its own.
  expect(await allSent(log, 400)).toEqual(expectedUpdates(400));
  expect(zombie.runtime.metrics.total('tasks-given-up')).toBeGreaterThan(0);
});

test('an outcome that is not known is settled by taking the task over again', async () => {
  await using log = await openLog();
  await produceLines(log, 0, 200);
  let unknown = 0;
  // The commit has happened, and its caller does not hear of it: every fifth time.
  const doubtful: Log = {
    ...bound(log),
    openProducer: async (id: string) => {
      const producer = await log.openProducer(id);
      return {
        begin: () => {
          const transaction = producer.begin();
          return {
            send: transaction.send.bind(transaction),
            sendOffsets: transaction.sendOffsets.bind(transaction),
            abort: () => transaction.abort(),
            commit: async () => {
              const ends = await transaction.commit();
              unknown += 1;
              if (unknown % 5 === 0) throw new MillraceError('COMMIT_OUTCOME_UNKNOWN', 'The answer was lost');
              return ends;
            },
          };
        },
      };
    },
  };
  await using instance = await Instance.start(doubtful, 'words');
  await produceLines(log, 200, 600);
  expect(await allSent(log, 600)).toEqual(expectedUpdates(600));
  expect(instance.runtime.metrics.total('tasks-given-up')).toBeGreaterThan(0);
});

test('what a processor throws ends the runtime, and others get its tasks', async () => {
  await using log = await openLog();
  const failing = await Instance.start(log, 'words', {
    onFailure: () => undefined,
  });
  faults.reached = (point) => {
    if (point === 'before-commit') throw new Error('a fault of the program');
  };
  await produceLines(log, 0, 50);
  while (failing.runtime.failure === undefined) await sleep(10);
  faults.reached = undefined;
  await using other = await Instance.start(log, 'words');
  expect(await allSent(log, 50)).toEqual(expectedUpdates(50));
  expect(other.runtime.tasks.running).toHaveLength(8);
});

test('one that was killed is taken out of the group by the next over its folder', async () => {
  await using log = await openLog();
  const engine = createMemoryEngine();
  // As a crash has it: nobody leaves the group.
  const dying: Log = {
    ...bound(log),
    joinGroup: async (group, topics, listener, assignor) => {
      const member = await log.joinGroup(group, topics, listener, assignor);
      return { ...member, [Symbol.asyncDispose]: async () => undefined };
    },
  };
  const first = await Instance.start(dying, 'words', { engine });
  await using other = await Instance.start(log, 'words');
  expect(await eventually(() => first.runtime.tasks.running.length === 4)).toBe(true);
  await first.runtime.abandon();
  await using next = await Instance.start(log, 'words', { engine });
  expect(await eventually(() => next.runtime.tasks.running.length === 4)).toBe(true);
  expect(other.runtime.tasks.running).toHaveLength(4);
});

/** The log's methods as an object of their own, to put others beside them. */
function bound(log: Log): Log {
  return {
    createTopics: (topics) => log.createTopics(topics),
    topics: () => log.topics(),
    deleteTopics: (names) => log.deleteTopics(names),
    topicId: (topic) => log.topicId(topic),
    produce: (partition, records, options) => log.produce(partition, records, options),
    read: (partition, offset, limits) => log.read(partition, offset, limits),
    listOffsets: (partition, at) => log.listOffsets(partition, at),
    deleteRecords: (partition, beforeOffset) => log.deleteRecords(partition, beforeOffset),
    committedOffsets: (group, of) => log.committedOffsets(group, of),
    joinGroup: (group, topics, listener) => log.joinGroup(group, topics, listener),
    removeMember: (group, memberId) => log.removeMember(group, memberId),
    openProducer: (id) => log.openProducer(id),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}
