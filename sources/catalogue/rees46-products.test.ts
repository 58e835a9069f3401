import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Product } from '../../schemas/index.ts';
import { requires } from '../../tests/support/requires.ts';
import type { SourceReject } from '../event-source.ts';
import { openRees46Products } from './rees46-products.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-rees46-products-'));
afterAll(() => rmSync(folder, { recursive: true }));

const header = 'event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session';
const row = (second: number, id: string, category: string, price: string) =>
  `2019-10-01 00:00:${String(second).padStart(2, '0')} UTC,view,${id},21,${category},b,${price},u,s`;

async function read(path: string) {
  const products: Product[] = [];
  const lines: number[] = [];
  const rejects: SourceReject[] = [];
  const unusable: Record<string, number> = {};
  for await (const batch of (await openRees46Products(path)).batches()) {
    products.push(...batch.products);
    lines.push(...batch.lines);
    rejects.push(...batch.rejects);
    for (const [field, count] of Object.entries(batch.unusable)) unusable[field] = (unusable[field] ?? 0) + count;
  }
  return { products, lines, rejects, unusable };
}

function write(...rows: readonly string[]): string {
  const path = join(folder, 'events.csv');
  writeFileSync(path, [header, ...rows].map((line) => `${line}\r\n`).join(''));
  return path;
}

test('a product is a version when it comes first and when its category or price changes', async () => {
  const path = write(
    row(0, '1', 'toys', '35.79'),
    row(1, '1', 'toys', '35.79'),
    row(2, '2', '', '0.00'),
    row(3, '1', 'toys', '30.00'),
    row(4, '2', '', '0'),
    row(5, '1', 'toys.dolls', '30.0'),
    row(6, '1', 'toys', '35.79'),
  );
  const { products, lines, rejects, unusable } = await read(path);
  expect(products.map(({ id, category, price }) => [id, category, price])).toEqual([
    ['1', 'toys', 357_900],
    ['2', null, null],
    ['1', 'toys', 300_000],
    ['1', 'toys.dolls', 300_000],
    ['1', 'toys', 357_900],
  ]);
  expect(lines).toEqual([2, 4, 5, 7, 8]);
  expect(products[2]).toMatchObject({ updatedAt: Date.UTC(2019, 9, 1, 0, 0, 3), title: null, currency: null });
  expect([rejects, unusable]).toEqual([[], {}]);
  expect((await read(path)).products).toEqual(products);
});

test('a price that cannot be used is unknown and counted; no id, no time and a torn row are rejects', async () => {
  const { products, rejects, unusable } = await read(
    write(
      row(0, '1', '', '-1'),
      row(0, '2', '', '1.00001'),
      row(0, '3', '', 'x'),
      row(0, '', '', '1'),
      row(61, '4', '', '1'),
      row(0, '5', 'x'.repeat(201), '1'),
      row(0, '6', '', '1').replace('2019', '9019'),
      '2019-10',
    ),
  );
  expect(products.map(({ id, price }) => [id, price])).toEqual([
    ['1', null],
    ['2', null],
    ['3', null],
  ]);
  expect(unusable).toEqual({ price: 3 });
  expect(rejects.map(({ line, rule }) => [line, rule])).toEqual([
    [5, 'id'],
    [6, 'date'],
    [7, 'field'],
    [8, 'field'],
    [9, 'columns'],
  ]);
  expect(rejects[3]!.reason).toMatch(/^updatedAt wants at most 300000 ms ahead of the clock/);
});

test('over any history the last version before a row says what the row says, and no two neighbours are the same', async () => {
  const told = fc.record({
    id: fc.nat(3),
    category: fc.constantFrom('', 'a', 'b'),
    price: fc.constantFrom('0', '1', '2.5'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(told, { maxLength: 60 }), async (history) => {
      const rows = history.map(({ id, category, price }, at) => row(at % 60, `p${id}`, category, price));
      const { products, lines } = await read(write(...rows));
      const facts = ({ category, price }: { category: string | null; price: number | null }) => `${category} ${price}`;
      const latest = new Map<string, string>();
      let next = 0;
      for (const [at, { id, category, price }] of history.entries()) {
        const said = facts({ category: category === '' ? null : category, price: Number(price) * 10_000 || null });
        if (latest.get(`p${id}`) !== said) {
          expect([lines[next], products[next]!.id, facts(products[next]!)]).toEqual([at + 2, `p${id}`, said]);
          next++;
        }
        latest.set(`p${id}`, said);
      }
      expect(products).toHaveLength(next);
    }),
  );
});

test('a file with few versions still says how far it is, without waiting for a thousand', async () => {
  const path = write(...Array.from({ length: 120_000 }, () => row(0, '1', '', '1')));
  const counts = [];
  for await (const { products } of (await openRees46Products(path)).batches()) counts.push(products.length);
  expect(counts).toEqual([1, 0]);
});

const data = requires('test-data', 'reads data sets that may not ship');
data.test('the versions of a real file are those of a plain reading', async () => {
  const path = join(process.env['MILLRACE_TEST_DATA']!, 'rees46/2019-Oct_excerpt.csv');
  const rows = readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','))
    .filter((fields) => fields.length === 9);
  const latest = new Map<string, string>();
  const plain: object[] = [];
  for (const [time, , id, , category, , price] of rows) {
    if (latest.get(id!) === `${category} ${price}`) continue;
    latest.set(id!, `${category} ${price}`);
    plain.push({
      id,
      category: category || null,
      price: Math.round(Number(price) * 10_000) || null,
      updatedAt: Date.parse(time!.replace(' UTC', 'Z').replace(' ', 'T')),
    });
  }
  const { products, rejects, unusable } = await read(path);
  expect(products.map(({ id, category, price, updatedAt }) => ({ id, category, price, updatedAt }))).toEqual(plain);
  expect(rejects.map(({ rule }) => rule)).toEqual(['columns']);
  expect(unusable).toEqual({});
  // As counted by Python's csv module.
  expect(products).toHaveLength(6493);
});
