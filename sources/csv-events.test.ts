import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Interaction } from '../schemas/index.ts';
import { requires } from '../tests/support/requires.ts';
import type { EventSource, SourceReject } from './event-source.ts';
import { openRees46 } from './rees46.ts';
import { openRetailRocket } from './retail-rocket.ts';
import { openYoochooseClicks } from './yoochoose-clicks.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-events-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function load(source: EventSource) {
  const events: Interaction[] = [];
  const rejects: SourceReject[] = [];
  for await (const batch of source.batches()) {
    expect(batch.lines.length).toBe(batch.events.length);
    events.push(...batch.events);
    rejects.push(...batch.rejects);
  }
  return { events, rejects };
}

function write(bytes: string | Uint8Array): string {
  const path = join(folder, 'events.csv');
  writeFileSync(path, bytes);
  return path;
}

const reesHeader = 'event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\r\n';
const reesRow = (type: string, price = '35.79') => `2019-10-01 00:00:01 UTC,${type},44,21,,shiseido,${price},u,s\r\n`;

test('REES46: what a row says, equal rows are two events, a torn last row is a reject with its line', async () => {
  const path = write(`${reesHeader}${reesRow('view')}${reesRow('view')}${reesRow('remove_from_cart', '0.00')}2019-10`);
  const { events, rejects } = await load(await openRees46(path));
  expect(events.map(({ type, price }) => [type, price])).toEqual([
    ['view', 357_900],
    ['view', 357_900],
    ['remove', 0],
  ]);
  expect(events[0]).toMatchObject({ productId: '44', userId: 'u', sessionId: 's', currency: null });
  expect(events[0]!.timestamp).toBe(Date.UTC(2019, 9, 1, 0, 0, 1));
  expect(events.map(({ eventId }) => eventId.slice(24))).toEqual(['00000000', '00000001', '00000000']);
  expect(rejects.map(({ line, rule }) => [line, rule])).toEqual([[5, 'columns']]);
  expect((await load(await openRees46(path))).events).toEqual(events);
});

test('a row that breaks a rule is a reject that names it', async () => {
  const bad = [reesRow('buy'), reesRow('view', 'x'), reesRow('view', '-1'), reesRow('view').replace('10-01', '13-01')];
  const { rejects } = await load(await openRees46(write(reesHeader + bad.join(''))));
  expect(rejects.map(({ rule }) => rule)).toEqual(['type', 'price', 'price', 'date']);
});

test('RetailRocket: with or without datetime a row is the same event', async () => {
  const header = 'timestamp,visitorid,event,itemid,transactionid';
  const plain = await load(await openRetailRocket(write(`${header}\n1433193132535,7,transaction,9,3\n`)));
  const more = await load(await openRetailRocket(write(`${header},datetime\n1433193132535,7,transaction,9,3,x\n`)));
  expect(plain.events).toEqual(more.events);
  expect(plain.events[0]).toMatchObject({ type: 'purchase', userId: '7', productId: '9', timestamp: 1433193132535 });
});

test('another header is unreadable, and says what was wanted and found', async () => {
  await expect(load(await openYoochooseClicks(write('a,b\n1,2\n')))).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: '\'events.csv\' wants the columns session_id,ts,item_id; found "a,b"',
  });
});

test('bytes flipped or cut anywhere: every line that is left is an event or a reject', async () => {
  const body = Buffer.from(Array.from({ length: 20 }, () => reesRow('cart')).join(''));
  const flips = fc.array(fc.tuple(fc.nat(body.length - 1), fc.integer({ min: 33, max: 255 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(flips, fc.nat(body.length), async (changes, end) => {
      const bytes = Buffer.from(body);
      // Line ends stay: which lines there are is what is counted.
      for (const [at, byte] of changes) if (bytes[at] !== 10 && byte !== 0x22) bytes[at] = byte;
      const damaged = bytes.subarray(0, end);
      const lines = damaged
        .toString('latin1')
        .split('\n')
        .filter((line) => line !== '' && line !== '\r').length;
      const { events, rejects } = await load(
        await openRees46(write(Buffer.concat([Buffer.from(reesHeader), damaged]))),
      );
      expect(events.length + rejects.length).toBe(lines);
    }),
  );
});

/** Counted again by splitting lines at commas: these files have no quotes. */
const data = requires('test-data', 'reads data sets that may not ship');
const counts = (types: readonly string[]) => {
  const of: Record<string, number> = {};
  for (const type of types) of[type] = (of[type] ?? 0) + 1;
  return of;
};

data.describe('whole files, against a plain reading', () => {
  const root = process.env['MILLRACE_TEST_DATA']!;
  const cases = [
    { path: 'rees46/2019-Oct_excerpt.csv', open: openRees46, column: 1, rejects: 1, width: 9 },
    { path: 'retailrocket/sample_events.csv', open: openRetailRocket, column: 2, rejects: 0, width: 6 },
    { path: 'yoochoose/clicks_first200k_filtered.csv.gz', open: openYoochooseClicks, column: -1, rejects: 0, width: 3 },
  ] as const;
  test.each(cases)(
    '$path',
    async ({ path, open, column, rejects: torn, width }) => {
      const bytes = readFileSync(join(root, path));
      const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      const rows = text
        .split(/\r?\n/)
        .slice(1)
        .filter((line) => line !== '')
        .map((line) => line.split(','));
      const whole = rows.filter((fields) => fields.length === width);
      const names: Record<string, string> = { addtocart: 'cart', transaction: 'purchase', remove_from_cart: 'remove' };
      const { events, rejects } = await load(await open(join(root, path)));
      const types = whole.map((fields) => (column < 0 ? 'view' : (names[fields[column]!] ?? fields[column]!)));
      expect(counts(events.map(({ type }) => type))).toEqual(counts(types));
      expect([rows.length - whole.length, rejects.length]).toEqual([torn, torn]);
      expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(whole.length);
    },
    60_000,
  );
});
