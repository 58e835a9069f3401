import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { millrace } from '../startup/millrace-process.ts';

// A process takes a second or two to start, on a busy machine many more.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'millrace-products-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const dataDir = join(folder, 'data');
const file = join(folder, 'products.csv');

test('ingest products says what became of every row, and of the fields that are unknown', async () => {
  writeFileSync(join(folder, 'amazon_categories.csv'), 'id,category_name\n1,Toys\n');
  const header =
    'asin,title,imgUrl,productURL,stars,reviews,price,listPrice,category_id,isBestSeller,boughtInLastMonth';
  const rows = ['A,a,,,4.5,1,1.5,0.0,1,False,0', 'B,b,,,9,1,-1,0.0,2,True,0', 'A,c,,,4.5,1,1,0,1,False,0', 'C,"torn'];
  writeFileSync(file, [header, ...rows, ''].join('\n'));
  const { code, stdout } = await millrace(['ingest', 'products', file, '--data-dir', dataDir]);
  const told = stdout
    .replace(/[\d.]+ s \([\d,]+ rows/, 'T s (N rows')
    .replace(/Peak memory [\d,]+ MiB/, 'Peak memory N MiB');
  const lines = told.split('\n').map((line) => line.replace(/ +/, ' '));
  expect(lines).toEqual([
    '2 products accepted, 2 rows rejected, in T s (N rows/s).',
    'RULE REJECTED',
    'duplicate 1',
    'torn 1',
    'FIELD UNKNOWN',
    'category 1',
    'price 1',
    'stars 1',
    'Peak memory N MiB.',
    '',
  ]);
  expect(code).toBe(0);
});

test('ingest products has them processed when it ends; with --no-wait they wait for the next that runs', async () => {
  const later = join(folder, 'later');
  const found = async (of: string) => (await millrace(['query', 'products', 'A', '--data-dir', of])).stdout;
  expect((await millrace(['ingest', 'products', file, '--data-dir', later, '--no-wait'])).code).toBe(0);
  expect(await found(dataDir)).toContain('"category": "Toys"');
  expect(await found(later)).toBe('');
});
