import { expect, test } from 'vitest';
import { openEmbeddedLog, type Log } from '../../log/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import { allSent, expectedUpdates, Instance, partitions, produceLines } from './word-counts.testing.ts';

async function openLog(): Promise<Log> {
  const engine = createMemoryEngine();
  const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  await log.createTopics([{ name: 'lines', partitions }]);
  return log;
}

test('tasks are shared out one by one, those with state evenly', async () => {
  await using log = await openLog();
  await using first = await Instance.start(log, 'words');
  await using second = await Instance.start(log, 'words');
  await using third = await Instance.start(log, 'words');
  const assigned = [first, second, third].map(({ runtime }) => runtime.tasks.assigned);
  const counts = (of: readonly (readonly string[])[]) => of.map(({ length }) => length).toSorted((a, b) => a - b);
  expect(counts(assigned)).toEqual([2, 3, 3]);
  expect(counts(assigned.map(withState))).toEqual([1, 1, 2]);
  expect(assigned.flat().toSorted()).toEqual(['0_0', '0_1', '0_2', '0_3', '1_0', '1_1', '1_2', '1_3']);
});

test('an instance that comes back gets the tasks whose state its folder has', async () => {
  await using log = await openLog();
  const before = [await Instance.start(log, 'words'), await Instance.start(log, 'words')];
  await produceLines(log, 0, 300);
  await allSent(log, 300);
  const had = before.map(({ runtime }) => withState(runtime.tasks.assigned));
  for (const { runtime } of before) await runtime.abandon();
  // The first to come has everything until the other is there, and then keeps what the other has nothing of.
  await using second = await Instance.start(log, 'words', { engine: before[1]!.engine });
  await using first = await Instance.start(log, 'words', { engine: before[0]!.engine });
  await produceLines(log, 300, 400);
  expect(await allSent(log, 400)).toEqual(expectedUpdates(400));
  expect([first, second].map(({ runtime }) => withState(runtime.tasks.assigned))).toEqual(had);
});

function withState(ids: readonly string[]): string[] {
  return ids.filter((id) => id.startsWith('1_'));
}
