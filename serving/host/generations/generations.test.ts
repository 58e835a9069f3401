import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareState, formatComparison, recomputeLog } from '../../../models/recompute/index.ts';
import { interactionSerde, shopTopics } from '../../../processors/index.ts';
import { openEmbeddedRegistry, type Interaction } from '../../../schemas/index.ts';
import { readerWithView, viewOf } from '../../view/served-state.ts';
import { Host } from '../host.ts';
import type { GenerationFacts, ReplayRequest } from '../messages.ts';
import { packRecords } from '../packed-records.ts';
import { recordedEvents } from '../recorded-events.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'millrace-generations-')), 'data');
});
afterEach(() => rmSync(join(dataDir, '..'), { recursive: true }));

const again: ReplayRequest = { from: { kind: 'earliest' }, trimmed: false, parameters: {} };

/** Five sessions that walk over the same products, each event a minute after the one before. */
function walk(from: number, count: number): Interaction[] {
  return Array.from({ length: count }, (_, at) => {
    const place = from + at;
    return {
      ...{
        eventId: `e${place}`,
        userId: `u${place % 3}`,
        sessionId: `s${place % 5}`,
        productId: `p${(place * 7) % 11}`,
      },
      ...{ type: 'view', quantity: 1, price: 10_000, currency: 'EUR', timestamp: 1_700_000_000_000 + place * 60_000 },
      ...{ title: null, service: false },
    } as Interaction;
  });
}

async function append(host: Host, events: readonly Interaction[]): Promise<void> {
  const serde = await interactionSerde(await openEmbeddedRegistry(dataDir), shopTopics.interactions);
  const records = events.map((event) => ({
    partition: Number(event.sessionId!.slice(1)) % host.partitions,
    key: Buffer.from(`s:${event.sessionId}`),
    value: serde.serialize(event).slice(),
    timestamp: event.timestamp,
  }));
  await host.request<'produce'>({ kind: 'produce', topic: shopTopics.interactions, records: packRecords(records) });
}

async function generation(host: Host, id: number): Promise<GenerationFacts> {
  return (await host.request<'generations'>({ kind: 'generations' })).find((of) => of.id === id)!;
}

async function becomesActive(host: Host, id: number): Promise<void> {
  for (;;) {
    const { state, progress } = await generation(host, id);
    expect(progress?.error ?? null).toBeNull();
    if (state === 'active') return;
    await sleep(5);
  }
}

/** The state and the lists of the active generation beside a recomputation with its parameters, in words. */
async function compared(id: number): Promise<string> {
  await using host = await Host.open({ dataDir, runs: false });
  const reader = await readerWithView(host, viewOf(host));
  const upTo = await reader.asOf();
  const { state, parameters, startOffsets: from } = await generation(host, id);
  expect(state).toBe('active');
  const registry = await openEmbeddedRegistry(dataDir);
  const expected = await recomputeLog(recordedEvents(host, { registry, upTo, from }), { parameters });
  return formatComparison(await compareState(expected, reader));
}

test('a replay has its own parameters, and answers switch to it while events come; activating goes back', async () => {
  {
    await using host = await Host.open({ dataDir, partitions: 2, commitIntervalMs: 10 });
    const view = viewOf(host);
    await append(host, walk(0, 60));
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    await host.request<'replay'>({ kind: 'replay', ...again, parameters: { pairPositions: 2 } });
    await append(host, walk(60, 60));
    await becomesActive(host, 2);
    await append(host, walk(120, 60));
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    expect(await generation(host, 1)).toMatchObject({ state: 'kept', parameters: { pairPositions: 10 } });
    expect(await generation(host, 2)).toMatchObject({
      state: 'active',
      progress: null,
      parameters: { pairPositions: 2 },
    });
    while (view.generation !== 2) await sleep(1);
  }
  expect(await compared(2)).toMatch(/Everything compared is equal\.$/);
  {
    await using host = await Host.open({ dataDir });
    await host.request<'activate'>({ kind: 'activate', generation: 1 });
    await becomesActive(host, 1);
    await append(host, walk(180, 20));
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    expect(await clean(host)).toEqual(walk(0, 200).map(({ eventId }) => eventId));
  }
  expect(await compared(1)).toMatch(/Everything compared is equal\.$/);
}, 240_000);

/** Ids of what others hear, in the order of the walk. */
async function clean(host: Host): Promise<string[]> {
  const registry = await openEmbeddedRegistry(dataDir);
  const lags = await host.request<'lag'>({ kind: 'lag' });
  const upTo = lags.map((lag) => ({ ...lag, offset: lag.endOffset }));
  const ids: string[] = [];
  for await (const { value } of recordedEvents(host, { registry, upTo, topic: shopTopics.clean })) {
    ids.push((value as Interaction).eventId);
  }
  return ids.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
}

test('a replay from an offset or a time has the state of what came since', async () => {
  {
    await using host = await Host.open({ dataDir, partitions: 1 });
    await append(host, walk(0, 100));
    const [, at30] = [0, walk(30, 1)[0]!.timestamp];
    await host.request<'replay'>({ kind: 'replay', ...again, from: { kind: 'time', timeMs: at30 } });
    await becomesActive(host, 2);
    expect((await generation(host, 2)).startOffsets).toEqual([{ topic: 'interactions', partition: 0, offset: 30 }]);
  }
  expect(await compared(2)).toMatch(/Everything compared is equal\.$/);
  await using host = await Host.open({ dataDir });
  const beyond = host.request<'replay'>({ kind: 'replay', ...again, from: { kind: 'offsets', offsets: [101] } });
  await expect(beyond).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  const unfit = host.request<'replay'>({ kind: 'replay', ...again, from: { kind: 'offsets', offsets: [1, 2] } });
  await expect(unfit).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
}, 240_000);

test('what is active stays, what is pruned is gone with its topics, and no two replays run', async () => {
  await using host = await Host.open({ dataDir, partitions: 1 });
  await append(host, walk(0, 40));
  await host.request<'replay'>({ kind: 'replay', ...again });
  await expect(host.request<'replay'>({ kind: 'replay', ...again })).rejects.toMatchObject({ code: 'REPLAY_RUNNING' });
  await becomesActive(host, 2);
  await expect(host.request<'prune'>({ kind: 'prune', generation: 2 })).rejects.toMatchObject({
    code: 'GENERATION_IN_USE',
  });
  await expect(host.request<'eraseUsers'>({ kind: 'eraseUsers', users: ['u1'] })).rejects.toMatchObject({
    code: 'GENERATION_IN_USE',
  });
  await host.request<'prune'>({ kind: 'prune', generation: 1 });
  await expect(host.request<'activate'>({ kind: 'activate', generation: 1 })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  const { events } = await host.request<'eraseUsers'>({ kind: 'eraseUsers', users: ['u1'] });
  expect(events).toBe(13);
  await host.request<'replay'>({ kind: 'replay', ...again });
  await becomesActive(host, 3);
  await host.request<'prune'>({ kind: 'prune', generation: 2 });
  expect((await host.request<'generations'>({ kind: 'generations' })).map(({ id }) => id)).toEqual([3]);
}, 240_000);

test('an unknown parameter, or one out of range, makes no generation', async () => {
  await using host = await Host.open({ dataDir, partitions: 1 });
  for (const parameters of [{ pairPositions: 0 }, { halfLife: 3 }]) {
    await expect(host.request<'replay'>({ kind: 'replay', ...again, parameters })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  }
  expect(await host.request<'generations'>({ kind: 'generations' })).toHaveLength(1);
});
