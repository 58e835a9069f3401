import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { openEmbeddedLog, type Log } from '../../log/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import { faults } from '../runtime/faults.ts';
import { allSent, expectedCounts, expectedUpdates, Instance, partitions, produceLines } from './word-counts.testing.ts';

const atLeastOnce = { processingGuarantee: 'at_least_once' } as const;

/** Without transactional producers, and with a `produce` that a test can make fail. */
async function openLog(failsAt?: (topic: string) => boolean): Promise<Log> {
  const engine = createMemoryEngine();
  const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  await log.createTopics([{ name: 'lines', partitions }]);
  return new Proxy(log, {
    get: (target, name) => {
      if (name === 'openProducer') return () => Promise.reject(new Error('no transactions here'));
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const [of] = args as Parameters<Log['produce']>;
        if (name === 'produce' && failsAt?.(of.topic) === true) throw new MillraceError('KAFKA_UNREACHABLE', 'Away');
        return await (member as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

afterEach(() => {
  faults.reached = undefined;
});

test('while nothing goes wrong every line counts once, without transactions, also when tasks move', async () => {
  await using log = await openLog();
  await using first = await Instance.start(log, 'words', atLeastOnce);
  await produceLines(log, 0, 300);
  await allSent(log, 300);
  const second = await Instance.start(log, 'words', atLeastOnce);
  await produceLines(log, 300, 600);
  await allSent(log, 600);
  expect(second.runtime.tasks.running).toHaveLength(4);
  await second[Symbol.asyncDispose]();
  await produceLines(log, 600, 900);
  expect(await allSent(log, 900)).toEqual(expectedUpdates(900));
  expect(first.runtime.failure).toBe(undefined);
});

test.each(['before-commit', 'after-transaction', 'after-write'])('a crash %s loses no line', async (where) => {
  await using log = await openLog();
  await produceLines(log, 0, 300);
  const before = await Instance.start(log, 'words', atLeastOnce);
  await allSent(log, 300);
  let crashes = 0;
  faults.reached = (point) => {
    if (point !== where || crashes > 0) return;
    crashes += 1;
    throw new Error('the process dies here');
  };
  await produceLines(log, 300, 400);
  while (before.runtime.failure === undefined) await sleep(5);
  await before.runtime.abandon();
  await using after = await Instance.start(log, 'words', { ...atLeastOnce, engine: before.engine });
  await produceLines(log, 400, 500);
  await after.runtime.caughtUp();
  const updates = await allSent(log, 500);
  for (const [word, count] of expectedCounts(500)) expect(updates.get(word)!.at(-1)).toBeGreaterThanOrEqual(count);
});

test('what was not acknowledged is not in the local state: the task is opened again and does it once more', async () => {
  let failures = 0;
  let failing = false;
  await using log = await openLog((topic) => failing && topic.endsWith('counts-changelog') && ++failures > 0);
  await using instance = await Instance.start(log, 'words', atLeastOnce);
  await produceLines(log, 0, 200);
  await allSent(log, 200);
  failing = true;
  await produceLines(log, 200, 300);
  while (failures < 4) await sleep(5);
  failing = false;
  await produceLines(log, 300, 400);
  await instance.runtime.caughtUp();
  expect(instance.runtime.metrics.total('tasks-given-up')).toBeGreaterThan(0);
  const updates = await allSent(log, 400);
  for (const [word, count] of expectedCounts(400)) expect(updates.get(word)!.at(-1)).toBeGreaterThanOrEqual(count);
});
