import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbeddedLog, type Log } from '../../../log/index.ts';
import { interactionSerde, shopTopics, storeNames } from '../../../processors/index.ts';
import {
  isMillraceError,
  MillraceError,
  openEmbeddedRegistry,
  type Interaction,
  type SchemaRegistry,
} from '../../../schemas/index.ts';
import { createGroupCommit, createMemoryEngine, type Engine } from '../../../state/index.ts';
import type { ReplayRequest } from '../messages.ts';
import { SharedGenerations } from './shared-generations.ts';
import type { SharedRun } from './shared-run.ts';
import { prepareShop } from './shop-runtime.ts';

/**
 * Instances of one process on a log that they share, the embedded one: what they agree on, and that nothing is lost or done twice
 * whoever dies when. With rows, lists and look-ups, on a real broker: tests/kafka/replay.test.ts.
 */
const partitions = 2;
let folder: string;
let log: Log;
let registry: SchemaRegistry;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-shared-'));
  const engine = createMemoryEngine();
  log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
  registry = await openEmbeddedRegistry(folder);
});

afterEach(async () => {
  await log[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const again: ReplayRequest = { from: { kind: 'earliest' }, trimmed: false, parameters: {} };

const instanceSettings = {
  ...{ dataDir: '', partitions, syncWrites: false, memoryBytesMax: 2 ** 30, storeCacheBytes: 2 ** 26 },
  ...{ dirtyBytesMax: 2 ** 25, youngGenerationBytes: 2 ** 24, storageReserveBytes: 0, commitIntervalMs: 20 },
  ...{ cleaningIntervalMs: 60_000, replays: true, runs: true, waiting: new SharedArrayBuffer(4) },
  kafka: {
    log: { brokers: [] },
    registry: { url: 'http://127.0.0.1' },
    applicationId: 'shop',
    commitIntervalMs: 20,
  },
};

class Instance {
  readonly engine: Engine;
  readonly generations: SharedGenerations;
  readonly failures: unknown[];

  static async start(engine: Engine = createMemoryEngine()): Promise<Instance> {
    const failures: unknown[] = [];
    await prepareShop(log, instanceSettings);
    const generations = await SharedGenerations.open({
      ...{ settings: instanceSettings, engine, commits: createGroupCommit(engine), log, registry, partitions },
      paused: () => false,
      onCommit: () => undefined,
      onTasks: () => undefined,
      onTopologyFailed: (error) => failures.push(error),
      tell: () => undefined,
      lookEveryMs: 50,
      show: async (run, shown) => {
        if (run.runtime.owners().some(({ active }) => active === undefined)) {
          throw new MillraceError('REBALANCING', 'A task is nobody’s');
        }
        shown();
      },
    });
    await generations.start(undefined);
    return new Instance(engine, generations, failures);
  }

  private constructor(engine: Engine, generations: SharedGenerations, failures: unknown[]) {
    this.engine = engine;
    this.generations = generations;
    this.failures = failures;
  }

  get run(): SharedRun {
    return this.generations.shown;
  }

  async shows(id: number): Promise<void> {
    while (this.run.entry.id !== id) await sleep(20);
  }
}

/** Events `[from, to)`: of five sessions over eleven products. */
async function append(from: number, to: number): Promise<void> {
  const serde = await interactionSerde(registry, shopTopics.interactions);
  const byPartition = new Map<number, { key: Uint8Array; value: Uint8Array; timestamp: number }[]>();
  for (let n = from; n < to; n++) {
    const event = {
      ...{ eventId: `e${n}`, userId: `u${n % 3}`, sessionId: `s${n % 5}`, productId: `p${(n * 7) % 11}` },
      ...{ type: 'view', quantity: 1, price: 10_000, currency: 'EUR', timestamp: 1_700_000_000_000 + n * 60_000 },
      ...{ title: null, service: false },
    } as Interaction;
    const partition = (n % 5) % partitions;
    const records = byPartition.get(partition) ?? [];
    byPartition.set(partition, records);
    records.push({
      key: Buffer.from(`s:${event.sessionId}`),
      value: serde.serialize(event).slice(),
      timestamp: event.timestamp,
    });
  }
  for (const [partition, records] of byPartition) {
    await log.produce({ topic: shopTopics.interactions, partition }, records);
  }
}

/** How often each event is in the outputs that others hear. */
async function heard(): Promise<ReadonlyMap<string, number>> {
  const serde = await interactionSerde(registry, shopTopics.clean);
  const times = new Map<string, number>();
  for (let partition = 0; partition < partitions; partition++) {
    const of = { topic: shopTopics.clean, partition };
    const end = await log.listOffsets(of, 'latest');
    for (let offset = 0; offset < end;) {
      const { records, nextOffset } = await log.read(of, offset, { maxRecords: 1000, maxBytes: 1 << 20 });
      await serde.prepare?.(records.flatMap(({ value }) => value ?? []));
      for (const { value } of records) {
        const { eventId } = serde.deserialize(value!);
        times.set(eventId!, (times.get(eventId!) ?? 0) + 1);
      }
      offset = nextOffset;
    }
  }
  return times;
}

/** Views by product, of all instances' tasks of the generation that they show. */
async function views(instances: readonly Instance[]): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const { run } of instances) {
    const range = { kind: 'range', store: storeNames.productStats, limit: 100 } as const;
    const { answer } = await run.reader.ask<'range'>({ ...range, from: null, to: null, prefix: null, cursor: null });
    for (const { key, value } of answer.rows) found.set(key, (value as { readonly views: number }).views);
  }
  return found;
}

function expectedViews(events: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let n = 0; n < events; n++) counts.set(`p${(n * 7) % 11}`, (counts.get(`p${(n * 7) % 11}`) ?? 0) + 1);
  return counts;
}

async function check(instances: readonly Instance[], events: number): Promise<void> {
  await caughtUp(instances);
  expect(await views(instances)).toEqual(expectedViews(events));
  const all = await heard();
  expect(all.size).toBe(events);
  expect([...all].filter(([, times]) => times !== 1)).toEqual([]);
  for (const { failures } of instances) expect(failures).toEqual([]);
}

/** What each has committed is in its own database too, or its rows are not there yet. */
async function caughtUp(instances: readonly Instance[]): Promise<void> {
  await instances[0]!.run.runtime.caughtUp();
  for (const { run } of instances) await run.runtime.commitsEnded();
}

async function close(instances: readonly Instance[]): Promise<void> {
  for (const { generations } of instances) await generations.close();
}

test('two instances replay, hand over, go back, and forget', async () => {
  const instances = [await Instance.start(), await Instance.start()];
  await append(0, 200);
  const [one, two] = instances as [Instance, Instance];
  await caughtUp(instances);

  const replay = await two.generations.startReplay({ ...again, parameters: { pairPositions: 3 } });
  expect(replay).toMatchObject({ id: 2, state: 'replaying', parameters: { pairPositions: 3 } });
  await expect(one.generations.startReplay(again)).rejects.toMatchObject({ code: 'REPLAY_RUNNING' });
  await expect(one.generations.prune(1)).rejects.toMatchObject({ code: 'GENERATION_IN_USE' });
  await append(200, 260);
  for (const instance of instances) await instance.shows(2);
  await append(260, 300);
  await check(instances, 300);
  const [first, second] = await one.generations.list();
  expect(first).toMatchObject({ id: 1, state: 'kept', progress: null });
  expect(second).toMatchObject({ id: 2, state: 'active', progress: null });
  // X is one cut of both: what the first has committed is where the second went on from.
  const cut = await log.committedOffsets('shop', second!.activeFrom!);
  expect(cut).toEqual(second!.activeFrom!.map(({ offset }) => offset));

  await one.generations.activate(1);
  for (const instance of instances) await instance.shows(1);
  await append(300, 330);
  await check(instances, 330);

  await two.generations.prune(2);
  await expect(one.generations.activate(2)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect((await log.topics()).filter(({ name }) => name.startsWith('shop.g2-'))).toEqual([]);
  for (const { engine } of instances) while ((await rowsOf(engine, 'shop.g2')) > 0) await sleep(20);
  await close(instances);
});

test(
  'whoever dies on the way, every event counts once, and the replay comes to its end',
  { timeout: 90_000 },
  async () => {
    const instances = [await Instance.start(), await Instance.start()];
    await append(0, 150);
    await caughtUp(instances);
    let events = 150;
    // At another moment of the way each time: while it opens, and while it follows or hands over.
    for (const [round, [dead, afterMs]] of (
      [
        [0, 100],
        [1, 350],
      ] as const
    ).entries()) {
      const target = round % 2 === 0 ? 2 : 1;
      const [asked] = instances as [Instance];
      if (round === 0) await asked.generations.startReplay(again);
      else await asked.generations.activate(target);
      await sleep(afterMs);
      await instances[dead]!.generations.abandon();
      await append(events, (events += 40));
      instances[dead] = await Instance.start(instances[dead]!.engine);
      for (const instance of instances) await instance.shows(target);
      await append(events, (events += 20));
      await check(instances, events);
    }
    await close(instances);
  },
);

test('a replay that is given up while the active one is held lets that one go on', async () => {
  const instances = [await Instance.start()];
  await append(0, 100);
  const [one] = instances as [Instance];
  await caughtUp(instances);
  await one.generations.startReplay(again);
  const isHandingOver = async () => (await one.generations.list())[1]?.progress?.isHandingOver === true;
  while (!(await isHandingOver())) await sleep(1);
  try {
    await one.generations.prune(2);
  } catch (error) {
    // It was faster.
    if (!isMillraceError(error, 'GENERATION_IN_USE')) throw error;
  }
  await append(100, 150);
  await check(instances, 150);
  await close(instances);
});

async function rowsOf(engine: Engine, applicationId: string): Promise<number> {
  let rows = 0;
  const gte = Buffer.from(`topology/${applicationId}/`);
  for await (const chunk of engine.range('meta', { gte, lt: Buffer.from(`topology/${applicationId}0`) }))
    rows += chunk.length;
  return rows;
}
