import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recomputeUci } from './recompute.ts';

const header = 'Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n';
const when = '2010-12-01 08:26:00';
const whenMs = Date.UTC(2010, 11, 1, 8, 26);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-uci-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function recompute(...files: readonly (readonly string[])[]) {
  const paths = files.map((_, at) => join(folder, `${at + 1}.csv.${at === 0 ? 'br' : 'gz'}`));
  for (const [at, lines] of files.entries()) {
    const text = Buffer.from(`${header}${lines.join('\n')}\n`);
    await writeFile(paths[at]!, at === 0 ? brotliCompressSync(text) : gzipSync(text));
  }
  return recomputeUci(paths);
}

test('a line is a purchase in the session of its invoice, a line of a C invoice a return of its pieces', async () => {
  const state = await recompute([
    `1, 85123A ," HEART, ""RED"" ",6,${when},2.55,17850.0,United Kingdom`,
    `1,22,,1,${when},0.001,17850.0,United Kingdom`,
    `C2,85123A,HEART,-2,${when},2.55,,United Kingdom`,
  ]);
  expect(state.productStats.get('85123A')).toMatchObject({ purchases: 1, returns: 1, quantity: 4n, revenue: 102_000n });
  expect(state.productStats.get('22')).toMatchObject({ revenue: 10n, firstSeenMs: whenMs });
  expect(state.productTitles.get('85123A')?.titles.map(({ title }) => title)).toEqual(['HEART', 'HEART, "RED"']);
  expect(state.productTitles.has('22')).toBe(false);
  expect(state.userProfiles.get('17850')).toMatchObject({ purchases: 2, returns: 0 });
  expect(
    state
      .list('similar', '85123A')
      .top(20)
      .map(({ id }) => id),
  ).toEqual(['22']);
});

test('equal lines of a file count each, the overlap of two files once', async () => {
  const line = `1,A,HEART,1,${when},2.55,,United Kingdom`;
  const state = await recompute([line, line], [line, line, line, `2,A,HEART,1,${when},2.55,,United Kingdom`]);
  expect(state.counts).toEqual({ read: 6, invalid: 0, duplicates: 2, accepted: 4 });
});

test('an unusable line is named by file, line and field', async () => {
  const line = (invoice: string, code: string, quantity: string, date: string, price: string) =>
    `${invoice},${code},TITLE,${quantity},${date},${price},,United Kingdom`;
  const state = await recompute(
    [
      line('1', 'A', '1', when, '1.00000'),
      line('', 'A', '1', when, '1'),
      line('1', ' ', '1', when, '1'),
      line('1', 'A', '0', when, '1'),
      line('1', 'A', '-1', when, '1'),
      line('1', 'A', '1.5', when, '1'),
      line('C1', 'A', '1', when, '1'),
    ],
    [
      line('1', 'A', '1', when, '-0.01'),
      line('1', 'A', '1', when, '0.00001'),
      line('1', 'A', '1', when, 'free'),
      line('1', 'A', '1', '2010-02-30 08:26:00', '1'),
      line('1', 'A', '1', '', '1'),
    ],
  );
  expect(state.counts).toEqual({ read: 12, invalid: 11, duplicates: 0, accepted: 1 });
  expect(state.unusable.map(({ file, line: at, field }) => `${file}:${at} ${field}`)).toEqual([
    ...['1:3 invoice', '1:4 stock-code', '1:5 quantity', '1:6 quantity', '1:7 quantity', '1:8 quantity'],
    ...['2:2 price', '2:3 price', '2:4 price', '2:5 date', '2:6 date'],
  ]);
});

test('charges are services in either case, and pair with nothing', async () => {
  const state = await recompute([
    ...['A', 'POST', 'm', 'Bank Charges', 'B'].map((code) => `1,${code},TITLE,1,${when},1,,United Kingdom`),
  ]);
  const services = [...state.productStats.values()].filter(({ service }) => service).map(({ productId }) => productId);
  expect(services.toSorted()).toEqual(['B', 'Bank Charges', 'POST', 'm']);
  expect(state.pairs.size).toBe(0);
});

test('a file that cannot be read is named', async () => {
  const wanted = { code: 'SOURCE_UNREADABLE', message: expect.stringContaining('nowhere.csv') };
  await expect(recomputeUci([join(folder, 'nowhere.csv')])).rejects.toMatchObject(wanted);
  await expect(recomputeUci([join(folder, 'nowhere.csv.br')])).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
});
