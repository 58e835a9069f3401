import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import type { Product } from '../../schemas/index.ts';
import type { SourceReject } from '../event-source.ts';
import { type AmazonOptions, openAmazonProducts } from './amazon-products.ts';

const shipped = fileURLToPath(new URL('../../data/amazon-products-2023/', import.meta.url));
const samplePath = join(shipped, 'amazon_products_us_sample_4960.csv.br');
const categoriesPath = join(shipped, 'amazon_categories.csv.br');
const updatedAtMs = Date.UTC(2023, 9, 1);
const header = 'asin,title,imgUrl,productURL,stars,reviews,price,listPrice,category_id,isBestSeller,boughtInLastMonth';

const folder = mkdtempSync(join(tmpdir(), 'millrace-amazon-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(path: string, options: AmazonOptions = { updatedAtMs, categoriesPath }) {
  const products: Product[] = [];
  const lines: number[] = [];
  const rejects: SourceReject[] = [];
  const unusable: Record<string, number> = {};
  for await (const batch of (await openAmazonProducts(path, options)).batches()) {
    products.push(...batch.products);
    lines.push(...batch.lines);
    rejects.push(...batch.rejects);
    for (const [field, count] of Object.entries(batch.unusable)) unusable[field] = (unusable[field] ?? 0) + count;
  }
  return { products, lines, rejects, unusable };
}

async function readRows(...rows: readonly string[]) {
  const path = join(folder, 'rows.csv');
  writeFileSync(path, `${header}\n${rows.join('\n')}\n`);
  return await read(path);
}

/** CSV character by character: nothing in common with the reader under test. */
function plainRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted && c === '"' && text[i + 1] === '"') field += text[i++];
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === ',' || c === '\n')) {
      row.push(field);
      field = '';
      if (c === '\n') rows.push(row.splice(0));
    } else if (quoted || c !== '\r') field += c;
  }
  return rows;
}

test('every row of the shipped sample is the product that a plain reading finds', async () => {
  const [, ...rows] = plainRows(brotliDecompressSync(readFileSync(samplePath)).toString());
  const names = new Map(
    plainRows(brotliDecompressSync(readFileSync(categoriesPath)).toString()).map(([id, name]) => [id!, name!]),
  );
  const plain = rows.map((row) => ({
    id: row[0],
    title: row[1]!.trim(),
    category: names.get(row[8]!),
    price: Math.round(Number(row[6]) * 10_000) || null,
    listPrice: Math.round(Number(row[7]) * 10_000) || null,
    currency: 'USD',
    stars: Math.round(Number(row[4]) * 100) || null,
    reviews: Number(row[5]),
    bestSeller: row[9] === 'True',
    imageUrl: row[2],
    url: row[3],
    active: true,
    updatedAt: updatedAtMs,
  }));
  const { products, rejects, unusable } = await read(samplePath, { updatedAtMs });
  expect(products).toEqual(plain);
  expect(rejects).toEqual([]);
  expect(unusable).toEqual({});
  // As counted by Python's csv module.
  expect(products).toHaveLength(4960);
  expect(products.filter(({ price }) => price === null)).toHaveLength(99);
  expect(products.filter(({ listPrice }) => listPrice === null)).toHaveLength(2801);
  expect(products.filter(({ stars }) => stars === null)).toHaveLength(185);
  expect(products.filter(({ bestSeller }) => bestSeller)).toHaveLength(770);
  expect(products.reduce((sum, { reviews }) => sum + reviews, 0)).toBe(11_543_645);
  expect(products.reduce((sum, { price }) => sum + (price ?? 0), 0)).toBe(2_964_428_400);
  expect(new Set(products.map(({ category }) => category)).size).toBe(248);
});

test('what cannot be used in a field is unknown and counted; 0 is unknown and not counted', async () => {
  const { products, rejects, unusable } = await readRows(
    'A,"x, ""y""",,,0.0,0,0.0,0.0,1,True,0',
    'B,,,,5.1,-1,-2.0,N/A,999,yes,0',
    'C,t,,,4.5,7,1.00001,12.5,1,False,0',
  );
  expect(rejects).toEqual([]);
  expect(products[0]).toMatchObject({
    title: 'x, "y"',
    stars: null,
    price: null,
    listPrice: null,
    bestSeller: true,
    category: 'Beading & Jewelry Making',
    imageUrl: null,
  });
  expect(products[1]).toMatchObject({ title: null, stars: null, reviews: 0, price: null, category: null });
  expect(products[2]).toMatchObject({ stars: 450, reviews: 7, price: null, listPrice: 125_000 });
  expect(unusable).toEqual({ category: 1, bestSeller: 1, price: 2, listPrice: 1, stars: 1, reviews: 1 });
});

test('a torn row, a short row, no asin and an asin that comes again are rejects, and the rest is read', async () => {
  const good = (id: string) => `${id},t,,,4.5,7,1.5,0.0,1,False,0`;
  const { products, lines, rejects } = await readRows(
    good('A'),
    'T,"torn,,,4.5,7,1.5,0.0,1,False,0',
    good('B'),
    'S,short',
    good(''),
    good('A').replace('1.5', '9.5'),
    good('x'.repeat(201)),
    good('C'),
  );
  expect(products.map(({ id, price }) => [id, price])).toEqual([
    ['A', 15_000],
    ['B', 15_000],
    ['C', 15_000],
  ]);
  expect(lines).toEqual([2, 4, 9]);
  expect(rejects.map(({ line, rule }) => [line, rule])).toEqual([
    [3, 'torn'],
    [5, 'columns'],
    [6, 'id'],
    [7, 'duplicate'],
    [8, 'field'],
  ]);
  expect(rejects[1]).toMatchObject({ file: 'rows.csv', reason: 'wants 11 columns, found 2' });
  expect(Buffer.from(rejects[1]!.raw).toString()).toBe('S,short');
});

test('a file that was cut in its compression gives what came before and says so', async () => {
  const path = join(folder, 'cut.csv.gz');
  const whole = gzipSync(brotliDecompressSync(readFileSync(samplePath)));
  writeFileSync(path, whole);
  expect((await read(path)).products).toHaveLength(4960);
  writeFileSync(path, whole.subarray(0, whole.length / 2));
  const found: Product[] = [];
  const reading = (async () => {
    for await (const batch of (await openAmazonProducts(path, { categoriesPath })).batches()) {
      found.push(...batch.products);
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  expect(found.length).toBeGreaterThan(1000);
});

test('another header, no categories and a time in the future are refused with what was wanted', async () => {
  const path = join(folder, 'other.csv');
  writeFileSync(path, 'a,b\n1,2\n');
  await expect(read(path)).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: `'other.csv' wants the columns ${header}; found "a,b"`,
  });
  await expect(read(path, {})).rejects.toMatchObject({
    message: "'other.csv' wants amazon_categories.csv (or .br, .gz) beside it, found none",
  });
  await expect(read(path, { categoriesPath: path })).rejects.toMatchObject({
    message: '\'other.csv\' wants the columns id,category_name; found "a,b"',
  });
  await expect(read(samplePath, { updatedAtMs: Date.now() + 3_600_000 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await expect(read(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
});
