import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../../log/conformance/support.ts';
import { openEmbeddedLog, type Log } from '../../log/index.ts';
import type { KeyValueStore, ValueAndTimestamp } from '../../state/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import { faults } from '../runtime/faults.ts';
import {
  allSent,
  expectedCounts,
  expectedUpdates,
  Instance,
  partitions,
  produceLines,
  quick,
} from './word-counts.testing.ts';

async function openLog(): Promise<Log> {
  const engine = createMemoryEngine();
  const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  await log.createTopics([{ name: 'lines', partitions }]);
  return log;
}

const withStandbys = { config: { ...quick, standbyReplicas: 1, standbyPollIntervalMs: 5 } };

test('threads of one process are no standbys for each other', async () => {
  await using log = await openLog();
  const thread = { ...withStandbys, processId: 'one' };
  await using first = await Instance.start(log, 'words', thread);
  await using second = await Instance.start(log, 'words', thread);
  const standbys = () => first.runtime.owners().flatMap((owner) => owner.standbys);
  expect(await eventually(() => second.runtime.tasks.running.length === 4)).toBe(true);
  expect(standbys()).toEqual([]);
  await using other = await Instance.start(log, 'words', withStandbys);
  expect(await eventually(() => other.runtime.tasks.running.length > 0)).toBe(true);
  expect(standbys()).toHaveLength(partitions);
});

test('a standby follows what others count, takes it over with the tail only, and can be asked meanwhile', async () => {
  await using log = await openLog();
  const first = await Instance.start(log, 'words', withStandbys);
  const second = await Instance.start(log, 'words', withStandbys);
  await produceLines(log, 0, 2000);
  expect(await allSent(log, 2000)).toEqual(expectedUpdates(2000));
  const followed = first.runtime.owners().filter(({ standbys }) => standbys.some(({ isLocal }) => isLocal));
  expect(followed.map(({ active }) => active!.isLocal)).toEqual([false, false]);
  await until(() => lags(second).length === 2 && lags(second).every((lag) => lag === 0));

  // What both have together becomes everything (a lag is that of the last look): nothing lost on the way, and nothing there twice.
  await expect.poll(() => countsOf(second), { timeout: 20_000 }).toEqual(expectedCounts(2000));

  // The last commits of the one that is lost are not among what the standby has read.
  let crashed = false;
  faults.reached = (point) => {
    if (point !== 'after-transaction' || crashed) return;
    crashed = true;
    throw new Error('the process dies here');
  };
  await produceLines(log, 2000, 2020);
  await until(() => crashed);
  faults.reached = undefined;
  const [lost, left] = first.runtime.failure === undefined ? [second, first] : [first, second];
  left.restored.length = 0;
  await lost.runtime.abandon();
  await until(() => left.runtime.tasks.running.length === 8);
  expect(await allSent(log, 2020)).toEqual(expectedUpdates(2020));
  // Two tasks' changelogs, of which the last twenty lines changed at most some words.
  const records = left.restored.map((each) => Number(each.split(' ').at(-1)));
  expect(left.restored.filter((each) => each.includes('full'))).toEqual([]);
  expect(records.reduce((sum, each) => sum + each, 0)).toBeLessThan(100);
  await left[Symbol.asyncDispose]();
});

test('a task goes to an instance without its state when that has nearly caught up', async () => {
  await using log = await openLog();
  const config = { ...quick, acceptableRecoveryLag: 5, standbyPollIntervalMs: 5, rejoinIntervalMs: 10 };
  await using first = await Instance.start(log, 'words', { config });
  await produceLines(log, 0, 2000);
  await allSent(log, 2000);
  const late: string[] = [];
  await using second = await Instance.start(log, 'words', {
    config,
    onOwners: (owners) => {
      const mine = owners.filter(({ active, subtopology }) => active?.isLocal === true && subtopology === 1);
      late.push(mine.map(({ taskId }) => taskId).join());
    },
  });
  // Tasks without state come at once, those with state do not.
  expect(late[0]).toBe('');
  await until(() => second.runtime.tasks.running.filter((id) => id.startsWith('1_')).length === 2);
  expect(first.runtime.tasks.running).toHaveLength(4);
  expect(second.restored.filter((each) => /counts.* full/.test(each))).toEqual([]);
  await produceLines(log, 2000, 2100);
  expect(await allSent(log, 2100)).toEqual(expectedUpdates(2100));
});

test('while a task is being restored its old state can be asked, with what it lacks', async () => {
  await using log = await openLog();
  const before = await Instance.start(log, 'words');
  await produceLines(log, 0, 300);
  await allSent(log, 300);
  await before.runtime.abandon();
  // Somebody else goes on; then the old folder comes back, and its restore is held up.
  const other = await Instance.start(log, 'words');
  await produceLines(log, 300, 600);
  await allSent(log, 600);
  await other[Symbol.asyncDispose]();

  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let reads = 0;
  const slow = new Proxy(log, {
    get: (target, name) => {
      if (name !== 'read') return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name);
      return async (...args: Parameters<Log['read']>) => {
        if (args[0].topic.endsWith('-counts-changelog') && ++reads > 0) await held;
        return await target.read(...args);
      };
    },
  });
  await using after = await Instance.start(slow, 'words', { engine: before.engine });
  await until(() => reads === partitions);
  const old = after.runtime.standbyStores('counts');
  expect(old).toHaveLength(partitions);
  expect(old.every(({ lagRecords }) => lagRecords !== 0)).toBe(true);
  expect(await countsOf(after)).toEqual(expectedCounts(300));
  release();
  await until(() => after.runtime.tasks.running.length === 8);
  expect(after.runtime.standbyStores('counts')).toEqual([]);
  expect(await countsOf(after)).toEqual(expectedCounts(600));
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

function lags({ runtime }: Instance): (number | undefined)[] {
  return runtime.standbyStores('counts').map(({ lagRecords }) => lagRecords);
}

/** Of all tasks that it has the state of, running or not. */
async function countsOf({ runtime }: Instance): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const stores = [...runtime.stores('counts'), ...runtime.standbyStores('counts').map(({ store }) => store)];
  for (const store of stores) {
    const rows = (store as KeyValueStore<string, ValueAndTimestamp<number>>).committedRange();
    for await (const [word, { value }] of rows) {
      expect(counts.has(word)).toBe(false);
      counts.set(word, value);
    }
  }
  return counts;
}
