import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { openEmbeddedRegistry, type MillraceError } from '../../schemas/index.ts';
import { Host } from '../../serving/host/index.ts';
import { startServer } from '../../serving/index.ts';
import { HttpProducers } from '../kill/http-producers.ts';
import { judge } from '../kill/verdict.ts';
import { requires } from '../support/requires.ts';
import { SmallDisk } from './small-disk.ts';

/**
 * The disk of the data folder fills up while events come over HTTP, twice, and there is room again. Acknowledgements stop
 * with 503, look-ups go on, and afterwards everything that was acknowledged is there once, in the log and in the state.
 */
const disk = requires('tmpfs', 'a test fills up a disk');
const mebibyte = 1024 * 1024;

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(20);
}

interface Filled {
  readonly told: readonly (MillraceError | undefined)[];
  /** How often the database was opened again. */
  readonly reopened: number;
}

async function fillTwice(storageReserveBytes: number, freeBytes: number): Promise<Filled> {
  using small = new SmallDisk(256);
  const dataDir = join(small.folder, 'data');
  const database = { walBytesMax: 2 * mebibyte, writeBufferBytes: 2 * mebibyte };
  const told: (MillraceError | undefined)[] = [];
  const producers = new HttpProducers({ producers: 3, eventsPerRequest: 40 });
  {
    await using host = await Host.open({ dataDir, partitions: 2, commitIntervalMs: 50, storageReserveBytes, database });
    host.onStorage((error) => told.push(error));
    const registry = await openEmbeddedRegistry(dataDir);
    await using server = await startServer({ host, registry, port: 0 });
    const post = (eventId: string): Promise<Response> =>
      fetch(`${server.url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ eventId, userId: 'probe', productId: 'http-product-500', type: 'view' }),
      });
    const lookUp = async (): Promise<number> =>
      (await fetch(`${server.url}/v1/products/http-product-500/similar`)).status;
    producers.sendTo(server.url);
    // Acknowledged is not yet processed: the product that is looked up on the full disk has to be there before.
    await until(async () => (await lookUp()) === 200);
    for (let times = 1; times <= 2; times += 1) {
      const enough = producers.acknowledged.events.size + 2000;
      await until(() => producers.acknowledged.events.size >= enough);
      small.fillUpTo(freeBytes);
      await until(async () => {
        // The probe's own id is of no importance: it is asked again until it is refused.
        const refused = await post(`probe-${times}`);
        if (refused.status !== 503) return false;
        expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
        const { error } = (await refused.json()) as { error: { code: string; details: object } };
        // A write that failed half-way says what RocksDB said of it; that the disk is full is said when it is looked at.
        if (error.code === 'STORAGE_FAILED') return false;
        expect(error).toMatchObject({ code: 'STORAGE_FULL', details: { wanted: storageReserveBytes } });
        return true;
      });
      await until(() => told.at(-1) !== undefined);
      expect(await lookUp()).toBe(200);
      const before = producers.acknowledged.events.size;
      small.makeRoom();
      await until(() => producers.acknowledged.events.size >= before + 500);
      await until(() => told.at(-1) === undefined);
    }
    await producers.pause();
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
  }
  // RocksDB sets its old LOG aside whenever it opens a database.
  const reopened = readdirSync(join(dataDir, 'db')).filter((name) => name.startsWith('LOG.old')).length;
  const { problems, counts } = await judge(dataDir, producers.acknowledged);
  expect(problems).toEqual([]);
  expect(counts.clean).toBeGreaterThan(5000);
  return { told, reopened };
}

disk.test(
  'a disk with less than the reserve free takes no events, and everything goes on when there is room',
  async () => {
    const { told, reopened } = await fillTwice(32 * mebibyte, 30 * mebibyte);
    expect(told.map((error) => error?.code)).toEqual(['STORAGE_FULL', undefined, 'STORAGE_FULL', undefined]);
    // The reserve did its work: no write failed.
    expect(reopened).toBe(0);
  },
  120_000,
);

disk.test(
  'a write that fails on a full disk loses nothing that was acknowledged, and counts nothing twice',
  async () => {
    const { told, reopened } = await fillTwice(4096, 512 * 1024);
    // Opening the database again frees some of its own space, so it may go on, and be full again, several times a filling.
    expect(told.length).toBeGreaterThanOrEqual(4);
    for (const [at, error] of told.entries()) {
      expect(error?.code).toEqual(at % 2 === 0 ? expect.stringMatching(/^STORAGE_(FULL|FAILED)$/) : undefined);
    }
    expect(reopened).toBeGreaterThanOrEqual(1);
  },
  120_000,
);
