import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { shippedCatalogue } from '../../cli/dataset/amazon-dataset.ts';
import { type GeneratedShop, historyMinutes, historyParameters } from '../../cli/dataset/generated-shop.ts';
import { CatalogueIndex, InteractionStream, openAmazonProducts } from '../../sources/index.ts';
import { Host } from '../../serving/host/index.ts';
import { unpackRecords } from '../../serving/host/packed-records.ts';
import { millrace, MillraceProcess } from '../startup/millrace-process.ts';

/** `start --dataset amazon` on the shipped sample: killed and stopped on the way, with the answers it prints, then live. */
const dataDir = mkdtempSync(join(tmpdir(), 'millrace-amazon-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const flags = ['--events', '100000', '--days', '3', '--users', '2000', '--seed', '9'];
const start = (...more: readonly string[]) =>
  new MillraceProcess(['start', '--dataset', 'amazon', '--data-dir', dataDir, '--port', '0', ...more]);

const read = (file: string): unknown => JSON.parse(readFileSync(join(dataDir, file), 'utf8'));
const historyRows = () => (read('dataset.json') as { files: { history?: { rows: number } } }).files.history?.rows ?? 0;

async function counted(url: string, counter: string): Promise<number> {
  const response = await fetch(`${url}/v1/stores/cleanse-counters/keys/${counter}`);
  return response.status === 404 ? 0 : ((await response.json()) as { value: number }).value;
}

test('a history survives a kill and a stop without a duplicate in the figures; then events come live, with times of now', async () => {
  {
    await using killed = start(...flags);
    await killed.until(/Catalogue: \d+ %/);
    killed.signal('SIGKILL');
    await killed.ended;
  }
  {
    await using stopped = start();
    await stopped.until(/Amazon Products 2023: 4,960 products/);
    while (historyRows() === 0) await sleep(20);
    const { code, stdout } = await stopped.stop();
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('curl') as string]);
  }
  const shop = read('generated-shop.json') as GeneratedShop;
  expect(shop).toMatchObject({ events: 100_000, days: 3, users: 2000, seed: 9 });
  const expected = await eventsOf(shop);
  expect(historyRows()).toBeLessThan(expected);

  {
    await using third = start('--no-live');
    await third.until(/funnel from view to purchase\n.*\n.*\n/);
    const printed = [...third.stdout.matchAll(/^\$ (curl .*)\n(.*)$/gm)];
    expect(printed).toHaveLength(4);
    for (const [, command, answer] of printed) {
      const { asOf: _, ...told } = JSON.parse(execFileSync('sh', ['-c', command!], { encoding: 'utf8' })) as {
        asOf: unknown;
      };
      expect(told).toEqual(JSON.parse(answer!));
      expect(Object.values(told).some((part) => Array.isArray(part) && part.length > 0)).toBe(true);
    }
    const url = await third.url();
    expect(await counted(url, 'accepted')).toBe(expected);
    expect(await counted(url, 'duplicates')).toBeLessThanOrEqual(1000);
    expect((await third.stop()).code).toBe(0);
  }
  expect(historyRows()).toBe(expected);

  for (const run of [1, 2]) {
    await using live = start('--pace', '50');
    await live.until(/Generating live, 50 events a second/);
    const url = await live.url();
    const before = await counted(url, 'accepted');
    const begunMs = Date.now();
    while ((await counted(url, 'accepted')) < before + 500) {
      if (Date.now() - begunMs > 300_000) throw new Error(`run ${run}: 500 live events did not come in 5 minutes`);
      await sleep(200);
    }
    expect((await live.stop()).code).toBe(0);
    const times = await lastTimes(300);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
    // A few in a thousand arrive late.
    expect(times[10]).toBeGreaterThanOrEqual(begunMs - 60_000);
  }

  const { code, stdout } = await millrace(['verify', '--data-dir', dataDir]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/accepted [\d,]+/) as string]);
});

async function eventsOf(shop: GeneratedShop): Promise<number> {
  const { index } = await CatalogueIndex.read(await openAmazonProducts(shippedCatalogue));
  let count = 0;
  for (const { minute, events } of new InteractionStream(index, historyParameters(shop)).minutes()) {
    if (minute === historyMinutes(shop)) break;
    count += events.length;
  }
  return count;
}

/** When the last events of the log happened, the oldest of them first. */
async function lastTimes(count: number): Promise<number[]> {
  await using host = await Host.open({ dataDir, runs: false });
  const [end] = await host
    .request<'lag'>({ kind: 'lag' })
    .then((lags) => lags.filter(({ topic }) => topic === 'interactions'));
  const from = { topic: 'interactions', partition: 0, offset: end!.endOffset - count };
  const { records } = await host.request<'read'>({ kind: 'read', ...from, maxRecords: count });
  return unpackRecords(records)
    .get(0)!
    .map(({ timestamp }) => timestamp)
    .toSorted((left, right) => left - right);
}
