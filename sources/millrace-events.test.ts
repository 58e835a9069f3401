import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test, vi } from 'vitest';
import { interactionFields, interactionTypes, type Interaction } from '../schemas/index.ts';
import { CatalogueIndex, InteractionStream } from './generator/index.ts';
import type { SourceReject } from './event-source.ts';
import { openMillraceEvents } from './millrace-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-events-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function load(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  writeFileSync(path, content);
  const events: Interaction[] = [];
  const lines: number[] = [];
  const rejects: SourceReject[] = [];
  for await (const batch of (await openMillraceEvents(path)).batches()) {
    events.push(...batch.events);
    lines.push(...batch.lines);
    rejects.push(...batch.rejects);
  }
  expect(lines).toHaveLength(events.length);
  return { events, lines, rejects };
}

const ids = (events: readonly Interaction[]) => events.map(({ eventId }) => eventId);
const view = { userId: 'u', productId: 'p', type: 'view', timestamp: 1_700_000_000_000 };
const json = (...lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

test('what `millrace generate` writes is read as it is', async () => {
  const index = new CatalogueIndex([
    { id: 'a', category: 'x', price: 100 },
    { id: 'b', category: 'x', price: null },
  ]);
  const written = [...new InteractionStream(index, { users: 5, seed: 1, eventsPerDay: 100 }).events(300)];
  const { events, rejects } = await load('generated.ndjson', json(...written));
  expect(events).toEqual(written);
  expect(rejects).toEqual([]);
});

test('an event is the same in NDJSON and in CSV, whatever the order of columns and the compression', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((value) => value.trim() === value);
  const interaction = fc.record(
    {
      eventId: text,
      userId: text,
      sessionId: text,
      productId: text,
      type: fc.constantFrom(...interactionTypes),
      quantity: fc.integer({ min: 1, max: 9 }),
      price: fc.integer({ min: 0, max: 1e9 }),
      currency: fc.constant('EUR'),
      timestamp: fc.integer({ min: 0, max: 1_700_000_000_000 }),
      title: text,
      service: fc.boolean(),
    },
    { requiredKeys: ['productId', 'type', 'userId', 'timestamp'] },
  );
  const columns = fc.shuffledSubarray([...interactionFields], { minLength: 11 });
  await fc.assert(
    fc.asyncProperty(fc.array(interaction, { maxLength: 8 }), columns, async (rows, names) => {
      const quoted = (value: unknown) => (value === undefined ? '' : `"${String(value).replaceAll('"', '""')}"`);
      const table = [names, ...rows.map((row) => names.map((name) => quoted(row[name])))];
      const csv = await load('any.csv.gz', gzipSync(table.map((line) => line.join(',')).join('\r\n')));
      const lines = await load('any.jsonl', json(...rows));
      expect([csv.rejects, lines.rejects]).toEqual([[], []]);
      expect(csv.events).toEqual(lines.events);
      expect(csv.events).toHaveLength(rows.length);
    }),
  );
});

test('an event without an id gets one of what it says: not of its line, its spelling or the time of arrival', async () => {
  vi.useFakeTimers({ now: 1_750_000_000_000, toFake: ['Date'] });
  try {
    const timeless = { userId: 'u', productId: 'p', type: 'view' };
    const first = await load('a.ndjson', json(view, view, timeless, { ...timeless, quantity: 1 }));
    expect(first.events.map(({ timestamp }) => timestamp)).toEqual([
      view.timestamp,
      view.timestamp,
      1_750_000_000_000,
      1_750_000_000_000,
    ]);
    expect(ids(first.events).map((id) => id.slice(24))).toEqual(['00000000', '00000001', '00000000', '00000001']);
    expect(new Set(ids(first.events)).size).toBe(4);
    vi.setSystemTime(1_750_000_060_000);
    const { type, ...others } = timeless;
    const again = await load('b.csv', `type,productId,userId,timestamp\nview,p,u,\n${type},p,u,\n`);
    expect(ids(again.events)).toEqual(ids(first.events).slice(2));
    expect(ids((await load('c.ndjson', json({ ...others, type }))).events)).toEqual([ids(first.events)[2]]);
    expect(again.events[0]!.timestamp).toBe(1_750_000_060_000);
  } finally {
    vi.useRealTimers();
  }
});

test('the form is what the name says, and else what the first line looks like', async () => {
  const csv = `userId,productId,type\nu,p,cart\n`;
  expect((await load('events', csv)).events).toMatchObject([{ type: 'cart' }]);
  expect((await load('events.txt.gz', gzipSync(`\ufeff${json(view)}`))).events).toMatchObject([{ type: 'view' }]);
  expect((await load('events.JSONL', csv)).rejects.map(({ line, rule }) => `${line} ${rule}`)).toEqual([
    '1 json',
    '2 json',
  ]);
  expect((await load('empty.ndjson', '')).events).toEqual([]);
});

test('what is no interaction is a reject with its line and what was wanted', async () => {
  const { rejects } = await load(
    'bad.ndjson',
    json({ ...view, price: 1.5 }, view, { ...view, colour: 'red' }, { ...view, timestamp: '2025-01-01' }) +
      '{"userId":"u',
  );
  expect(rejects.map(({ line, rule, reason }) => [line, rule, reason])).toEqual([
    [1, 'field', 'price wants a safe integer of 1/10,000, 0 or more, found 1.5'],
    [3, 'field', 'colour is not a field of an interaction'],
    [4, 'field', 'timestamp wants integer ms since epoch, found "2025-01-01"'],
    [5, 'json', 'wants a JSON object, found "{\\"userId\\":\\"u"'],
  ]);
  const rows = await load(
    'bad.csv',
    'sessionId,productId,type,price,service\ns,p,view,12.99,\ns,p,view,5,yes\ns,p\ns,p,view,5,true\n',
  );
  expect(rows.rejects.map(({ line, reason }) => [line, reason])).toEqual([
    [2, 'price wants a safe integer of 1/10,000, 0 or more, found "12.99"'],
    [3, 'service wants true or false, found "yes"'],
    [4, 'wants 5 columns, found 2'],
  ]);
  expect(rows.events).toMatchObject([{ price: 5, service: true }]);
});

test.each(['userId,productId', 'productId,type', 'userId,productId,type,colour', 'userId,productId,type,type', ''])(
  'a CSV with the header %j is refused with the fields there are',
  async (header) => {
    await expect(load('other.csv', header)).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: `'other.csv' wants columns named productId, type, userId or sessionId, and any others of ${interactionFields.join(', ')}, each once; found ${header === '' ? 'nothing' : JSON.stringify(header)}`,
    });
  },
);
