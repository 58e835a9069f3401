import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { Host } from '../../serving/host/host.ts';
import type { GenerationFacts } from '../../serving/host/messages.ts';
import { startServer } from '../../serving/index.ts';
import { temporaryFolder } from '../equality/shop-run.ts';
import { HttpProducers } from '../kill/http-producers.ts';
import { judge } from '../kill/verdict.ts';

const child = fileURLToPath(new URL('../kill/replay-child.ts', import.meta.url));

/** SIGKILL while a generation replays: each life takes it further, and none begins anew what was committed. */
test('a replay that is killed goes on where its last commit left it, until it takes over', async () => {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const producers = new HttpProducers({ producers: 2, eventsPerRequest: 100 });
  {
    await using host = await Host.open({ dataDir, partitions: 3 });
    await using server = await startServer({ host, registry: await openEmbeddedRegistry(dataDir), port: 0 });
    producers.sendTo(server.url);
    while (producers.acknowledged.events.size < 12_000) await sleep(5);
    await producers.pause();
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
  }
  const reached: number[] = [];
  for (const share of [0, 0.3, 0.6]) reached.push(await lifeUntil(dataDir, share));
  // What a life began with is what an earlier one committed: never less.
  expect(reached).toEqual(reached.toSorted((a, b) => a - b));
  {
    await using host = await Host.open({ dataDir });
    host.onPublication(() => undefined);
    while ((await second(host)).state !== 'active') {
      expect((await second(host)).progress?.error ?? null).toBeNull();
      await sleep(10);
    }
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    expect((await second(host)).parameters).toMatchObject({ pairPositions: 3 });
  }
  const { problems } = await judge(dataDir, producers.acknowledged);
  expect(problems).toEqual([]);
});

/** Kills the life once the replay is past this share of the records, or over; how far it was when it began. */
async function lifeUntil(dataDir: string, share: number): Promise<number> {
  const life: ChildProcess = fork(child, [dataDir], { execArgv: ['--import', 'tsx'] });
  let first: number | undefined;
  await new Promise<void>((resolve, reject) => {
    life.on('exit', () => reject(new Error('The life ended by itself.')));
    life.on('message', ({ state, progress }: GenerationFacts) => {
      first ??= progress?.processed ?? Infinity;
      if (state === 'active' || progress === null || progress.processed > share * progress.total) resolve();
    });
  });
  const ended = once(life, 'exit');
  life.kill('SIGKILL');
  await ended;
  return first!;
}

async function second(host: Host): Promise<GenerationFacts> {
  return (await host.request<'generations'>({ kind: 'generations' })).find(({ id }) => id === 2)!;
}
