import { expect, test } from 'vitest';
import { openEmbeddedLog, type Log } from '../../log/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import type { TaskOwner } from './cluster.ts';
import { Instance, partitions } from './word-counts.testing.ts';

async function openLog(): Promise<Log> {
  const engine = createMemoryEngine();
  const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  await log.createTopics([{ name: 'lines', partitions }]);
  return log;
}

const urls = ['http://127.0.0.1:8001', 'http://127.0.0.1:8002', 'http://127.0.0.1:8003'];

test('every instance knows who runs which task, and where it is reached', async () => {
  await using log = await openLog();
  let changes = 0;
  const first = await Instance.start(log, 'words', { advertisedUrl: urls[0], onOwners: () => (changes += 1) });
  expect(first.runtime.owners()).toHaveLength(8);
  expect(first.runtime.owners().every(({ active }) => active?.isLocal === true && active.url === urls[0])).toBe(true);

  const second = await Instance.start(log, 'words', { advertisedUrl: urls[1] });
  await using third = await Instance.start(log, 'words', { advertisedUrl: urls[2] });
  const all = [first, second, third];
  expect(new Set(third.runtime.owners().map(({ active }) => active?.url))).toEqual(new Set(urls));
  for (const [at, { runtime }] of all.entries()) {
    expect(addresses(runtime.owners())).toEqual(addresses(third.runtime.owners()));
    const mine = runtime.owners().filter(({ active }) => active!.isLocal);
    expect(mine.map(({ taskId }) => taskId).toSorted()).toEqual(runtime.tasks.assigned);
    expect(mine.every(({ active }) => active!.url === urls[at])).toBe(true);
  }
  const [counts] = third.runtime.owners().filter(({ subtopology }) => subtopology === 1);
  expect(counts).toMatchObject({ taskId: '1_0', partition: 0, stores: ['counts'] });
  expect(changes).toBeGreaterThan(2);

  await second[Symbol.asyncDispose]();
  await first.runtime.abandon();
  expect(third.runtime.owners().every(({ active }) => active?.url === urls[2])).toBe(true);
  // Who has left knows of no task of its own.
  expect(first.runtime.owners().some(({ active }) => active?.isLocal === true)).toBe(false);
});

test('a task that changes hands is nobody’s until its owner has let go', async () => {
  await using log = await openLog();
  const seen: string[][] = [];
  await using _first = await Instance.start(log, 'words', {
    advertisedUrl: urls[0],
    onOwners: (owners) => seen.push(addresses(owners)),
  });
  await using second = await Instance.start(log, 'words', { advertisedUrl: urls[1] });
  const moved = second.runtime.tasks.assigned;
  expect(moved).toHaveLength(4);
  for (const id of moved) {
    const steps = seen.map((owners) => owners.find((each) => each.startsWith(`${id} `)));
    const last = steps.indexOf(`${id} ${urls[1]}`);
    expect(steps[last - 1]).toBe(`${id} nobody`);
  }
});

function addresses(owners: readonly TaskOwner[]): string[] {
  return owners.map(({ taskId, active }) => `${taskId} ${active === undefined ? 'nobody' : active.url}`);
}
