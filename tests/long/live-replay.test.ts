import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { GenerationFacts } from '../../serving/host/messages.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { Host, startServer } from '../../serving/index.ts';
import { temporaryFolder } from '../equality/shop-run.ts';
import { HttpProducers } from '../kill/http-producers.ts';
import { judge } from '../kill/verdict.ts';
import { LookUps } from '../support/look-ups.ts';

/**
 * Events and versions of products go on coming, and look-ups go on being asked, while generations are replayed, activated
 * and pruned. No look-up fails; what others hear (`interactions.clean`) has every event once, whoever wrote it; and in the
 * end the state is what a recomputation with the generation's own parameters makes of the log.
 */
test('a replay with other parameters takes over without a gap, and so does the way back', async () => {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const producers = new HttpProducers({ producers: 2, eventsPerRequest: 20, pauseMs: 150 });
  const acknowledged = producers.acknowledged;
  const parametersOf = async (host: Host, id: number) =>
    (await generationsOf(host)).find((generation) => generation.id === id)?.parameters;

  {
    await using host = await Host.open({ dataDir, partitions: 3, commitIntervalMs: 20 });
    await using server = await startServer({ host, registry: await openEmbeddedRegistry(dataDir), port: 0 });
    producers.sendTo(server.url);
    while (acknowledged.events.size < 1000) await sleep(5);
    const lookUps = new LookUps(server.url);
    lookUps.start();

    const replay = await host.request<'replay'>({
      kind: 'replay',
      from: { kind: 'earliest' },
      trimmed: false,
      parameters: { pairPositions: 2, sessionGapMs: 60_000 },
    });
    expect(replay).toMatchObject({ id: 2, state: 'replaying' });
    await expect(
      host.request<'replay'>({ kind: 'replay', from: { kind: 'earliest' }, trimmed: false, parameters: {} }),
    ).rejects.toMatchObject({ code: 'REPLAY_RUNNING' });
    await becomesActive(host, 2);
    const after = acknowledged.events.size + 300;
    while (acknowledged.events.size < after) await sleep(5);
    await expect(host.request<'prune'>({ kind: 'prune', generation: 2 })).rejects.toMatchObject({
      code: 'GENERATION_IN_USE',
    });
    await expect(host.request<'eraseUsers'>({ kind: 'eraseUsers', users: ['u'] })).rejects.toMatchObject({
      code: 'GENERATION_IN_USE',
    });
    expect(await parametersOf(host, 2)).toMatchObject({ pairPositions: 2, sessionGapMs: 60_000 });
    await producers.pause();
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    await lookUps.stop();
    expect(lookUps.failures).toEqual([]);
    expect(lookUps.answers).toBeGreaterThan(50);
  }
  const second = await judge(dataDir, acknowledged);
  expect(second.problems).toEqual([]);

  {
    // The second start finds the second generation, with the parameters that are its own.
    await using host = await Host.open({ dataDir, commitIntervalMs: 20 });
    await using server = await startServer({ host, registry: await openEmbeddedRegistry(dataDir), port: 0 });
    producers.sendTo(server.url);
    const lookUps = new LookUps(server.url);
    lookUps.start();
    await host.request<'activate'>({ kind: 'activate', generation: 1 });
    await becomesActive(host, 1);
    const after = acknowledged.events.size + 300;
    while (acknowledged.events.size < after) await sleep(5);
    await producers.pause();
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    await lookUps.stop();
    expect(lookUps.failures).toEqual([]);
    expect(await parametersOf(host, 1)).toMatchObject({ pairPositions: 10 });
  }
  const first = await judge(dataDir, acknowledged);
  expect(first.problems).toEqual([]);

  {
    await using host = await Host.open({ dataDir, commitIntervalMs: 20 });
    await using server = await startServer({ host, registry: await openEmbeddedRegistry(dataDir), port: 0 });
    producers.sendTo(server.url);
    // And to the second again, which has an own stretch of outputs behind it, and one that others hear.
    await host.request<'activate'>({ kind: 'activate', generation: 2 });
    await becomesActive(host, 2);
    await host.request<'prune'>({ kind: 'prune', generation: 1 });
    expect((await generationsOf(host)).map(({ id }) => id)).toEqual([2]);
    const users = [1, 2, 3].map((at) => `http-0:user:${at}`);
    const { events } = await host.request<'eraseUsers'>({ kind: 'eraseUsers', users });
    expect(events).toBeGreaterThan(5);
    await producers.pause();
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
  }
  // Events of the users are gone, so only what is there is held against the log.
  const alone = await judge(dataDir, { events: new Set(), versions: acknowledged.versions });
  expect(alone.problems).toEqual([]);
});

async function generationsOf(host: Host): Promise<readonly GenerationFacts[]> {
  return await host.request<'generations'>({ kind: 'generations' });
}

async function becomesActive(host: Host, id: number): Promise<void> {
  for (;;) {
    const generation = (await generationsOf(host)).find((other) => other.id === id)!;
    expect(generation.progress?.error ?? null).toBeNull();
    if (generation.state === 'active') return;
    await sleep(10);
  }
}
