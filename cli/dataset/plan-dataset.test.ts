import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseShop, historyMinutes, historyParameters, keepShop, type ShopFlags } from './generated-shop.ts';
import { type DatasetChoice, planDataset } from './plan-dataset.ts';
import { writeResumeNote } from './resume-note.ts';

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-plan-'));
  dataDir = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true }));

const nowMs = Date.UTC(2026, 5, 1, 12, 30, 15);
const plan = (choice: Partial<DatasetChoice>, pace = 200) =>
  planDataset({ dataset: 'amazon', live: true, shop: {}, ...choice }, { dataDir, pace });

test('a flag of the generated shop beside another dataset is refused by its name', async () => {
  await expect(plan({ dataset: 'uci', shop: { users: 5 } })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: '--users is for --dataset amazon, found --dataset uci',
  });
  await expect(plan({ dataset: 'none', shop: { catalogue: 'x.csv' } })).rejects.toMatchObject({
    message: '--catalogue is for --dataset amazon, found --dataset none',
  });
});

test.each([0, 2001])(
  'a pace of %i cannot be kept in real time, and does not matter without a live phase',
  async (pace) => {
    await expect(plan({}, pace)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(`^--pace wants 1 to 2000 .*, found ${pace};`) as string,
    });
    await expect(plan({ live: false }, pace)).resolves.toBeTypeOf('function');
  },
);

test('a catalogue that is not there, or has no categories beside it, is told before a folder is made', async () => {
  await expect(plan({ shop: { catalogue: join(folder, 'none.csv') } })).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: `--catalogue wants a file, found none at ${join(folder, 'none.csv')}`,
  });
  writeFileSync(join(folder, 'alone.csv'), '');
  await expect(plan({ shop: { catalogue: join(folder, 'alone.csv') } })).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: expect.stringContaining('amazon_categories.csv') as string,
  });
  expect(existsSync(dataDir)).toBe(false);
});

test('a folder that another dataset was loaded into is refused', async () => {
  mkdirSync(dataDir);
  await writeResumeNote(dataDir, { dataset: 'uci', logEnds: [7], files: {} });
  await expect(plan({})).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `--dataset amazon wants a data folder of its own, and ${dataDir} has uci: name another with --data-dir`,
  });
  await expect(plan({ dataset: 'uci' })).resolves.toBeTypeOf('function');
});

test('a folder keeps its shop: later flags may repeat it or be left away, and its history ends where it ended', async () => {
  mkdirSync(dataDir);
  const shop = await chooseShop(dataDir, { users: 50, days: 2 }, nowMs);
  expect(shop).toMatchObject({ catalogue: null, users: 50, seed: 1, events: 100_000, days: 2 });
  expect(shop.endMs).toBe(Date.UTC(2026, 5, 1, 12, 30));
  await keepShop(dataDir, shop);
  const later = nowMs + 1_000_000;
  expect(await chooseShop(dataDir, {}, later)).toEqual(shop);
  expect(await chooseShop(dataDir, { days: 2, seed: 1 }, later)).toEqual(shop);
  const { startMs } = historyParameters(shop);
  expect(startMs! + historyMinutes(shop) * 60_000).toBe(shop.endMs);
});

test.each<[ShopFlags, string]>([
  [{ seed: 2 }, '--seed 1, found 2'],
  [{ users: 51 }, '--users 50, found 51'],
])('another shop than the one the folder was begun with is refused: %j', async (flags, told) => {
  mkdirSync(dataDir);
  await keepShop(dataDir, await chooseShop(dataDir, { users: 50 }, nowMs));
  await expect(chooseShop(dataDir, flags, nowMs)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `The data folder ${dataDir} was begun with ${told}: leave it away, or name another folder with --data-dir`,
  });
});

test('a catalogue that has changed since is refused', async () => {
  mkdirSync(dataDir);
  const catalogue = join(folder, 'products.csv');
  writeFileSync(catalogue, 'one');
  await keepShop(dataDir, await chooseShop(dataDir, { catalogue }, nowMs));
  writeFileSync(catalogue, 'another');
  await expect(chooseShop(dataDir, {}, nowMs)).rejects.toMatchObject({
    message: expect.stringContaining(`a catalogue ${catalogue} of 3 bytes, found 7:`) as string,
  });
});

test('a file that says no shop is damage, not a new shop', async () => {
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'generated-shop.json'), '{"users":1}');
  await expect(chooseShop(dataDir, {}, nowMs)).rejects.toMatchObject({ code: 'DATA_FOLDER_CORRUPT' });
});
