import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Interaction } from '../schemas/index.ts';
import type { SourceReject } from './event-source.ts';
import { jsonBounds } from './json-lines.ts';
import { openOtto } from './otto.ts';

const sample = fileURLToPath(new URL('../data/otto/otto_sample_train.jsonl.br', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-otto-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function load(path: string) {
  const events: Interaction[] = [];
  const lines: number[] = [];
  const rejects: SourceReject[] = [];
  for await (const batch of (await openOtto(path)).batches()) {
    events.push(...batch.events);
    lines.push(...batch.lines);
    rejects.push(...batch.rejects);
  }
  expect(lines).toHaveLength(events.length);
  return { events, lines, rejects };
}

async function loadLines(...lines: readonly (string | object)[]) {
  const path = join(folder, 'sessions.jsonl');
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return await load(path);
}

const rule = ({ line, rule: broken }: SourceReject) => `${line} ${broken}`;
const click = { aid: 1, ts: 1659304800025, type: 'clicks' };

test('every event of the shipped sample is the one that a plain reading finds', async () => {
  const names: Record<string, string> = { clicks: 'view', carts: 'cart', orders: 'purchase' };
  const sessions = brotliDecompressSync(readFileSync(sample))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { session: number; events: { aid: number; ts: number; type: string }[] });
  const { events, lines, rejects } = await load(sample);
  expect(events).toEqual(
    sessions.flatMap(({ session, events: of }) =>
      of.map(({ aid, ts, type }) => ({
        eventId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        userId: null,
        sessionId: String(session),
        productId: String(aid),
        type: names[type],
        quantity: 1,
        price: 0,
        currency: null,
        timestamp: ts,
        title: null,
        service: false,
      })),
    ),
  );
  expect(lines).toEqual(sessions.flatMap(({ events: of }, at) => of.map(() => at + 1)));
  expect(rejects).toEqual([]);
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(862);
  const counts = (type: string) => events.filter((event) => event.type === type).length;
  expect([counts('view'), counts('cart'), counts('purchase')]).toEqual([800, 52, 10]);
  expect((await load(sample)).events).toEqual(events);
});

test('equal events are told apart, and ids do not depend on the line or on the order of fields', async () => {
  const { events } = await loadLines({ session: 1, events: [click, click] }, { session: 2, events: [click] });
  expect(events.map(({ eventId }) => eventId.slice(24))).toEqual(['00000000', '00000001', '00000000']);
  const again = await loadLines({ session: 2, events: [click] }, '', {
    events: [{ type: 'clicks', ts: click.ts, aid: '1' }, click],
    session: 1,
  });
  expect(again.lines).toEqual([1, 3, 3]);
  expect(again.events.map(({ eventId }) => eventId).toSorted()).toEqual(
    events.map(({ eventId }) => eventId).toSorted(),
  );
});

test('a wrong event is a reject of its own, which could be loaded when it is mended; the session goes on', async () => {
  const { events, rejects } = await loadLines({
    session: 7,
    events: [click, { ...click, type: 'likes' }, { ...click, ts: 1.5 }, { ...click, aid: null }, 3, click],
  });
  expect(events).toHaveLength(2);
  expect(rejects.map(rule)).toEqual(['1 type', '1 date', '1 product', '1 product']);
  expect(rejects[0]).toMatchObject({
    file: 'sessions.jsonl',
    reason: 'event 2 of 6 wants one of clicks, carts, orders; found "likes"',
  });
  expect(JSON.parse(Buffer.from(rejects[0]!.raw).toString())).toEqual({
    session: 7,
    events: [{ ...click, type: 'likes' }],
  });
});

test('a torn line, no JSON, no session, no events and other bytes are rejects with their line', async () => {
  const good = { session: 1, events: [click] };
  const { events, rejects } = await loadLines(
    good,
    JSON.stringify(good).slice(0, 30),
    '[1]',
    { events: [click] },
    { session: 1, events: [] },
    { session: 1 },
    `{"session":"${'x'.repeat(jsonBounds.lineBytesMax)}"}`,
    good,
  );
  expect(events).toHaveLength(2);
  expect(rejects.map(rule)).toEqual(['2 json', '3 json', '4 session', '5 events', '6 events', '7 oversized']);
  expect(rejects[0]!.reason).toMatch(/^wants a JSON object, found "\{/);
  expect(rejects[5]!.raw).toHaveLength(65_536);
  const path = join(folder, 'bytes.jsonl');
  writeFileSync(path, Buffer.concat([Buffer.from([0x7b, 0xff, 10]), Buffer.from(`\ufeff${JSON.stringify(good)}\r\n`)]));
  const bytes = await load(path);
  expect(bytes.rejects.map(rule)).toEqual(['1 encoding']);
  expect(bytes.lines).toEqual([2]);
});

test('bytes flipped or cut anywhere cost no line but their own', async () => {
  const lines = Array.from({ length: 12 }, (_, session) => JSON.stringify({ session, events: [click] }));
  const body = Buffer.from(lines.join('\n'));
  const flips = fc.array(fc.tuple(fc.nat(body.length - 1), fc.integer({ min: 33, max: 255 })), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(flips, fc.integer({ min: 1, max: body.length }), async (changes, end) => {
      const bytes = Buffer.from(body);
      for (const [at, byte] of changes) if (bytes[at] !== 10) bytes[at] = byte;
      const path = join(folder, 'flipped.jsonl');
      writeFileSync(path, bytes.subarray(0, end));
      const whole = bytes.subarray(0, end).toString('latin1').split('\n');
      const { events, lines: of, rejects } = await load(path);
      const touched = new Set([...of, ...rejects.map(({ line }) => line)]);
      expect(touched.size).toBe(whole.filter((line) => line !== '').length);
      for (const [at, line] of lines.entries()) if (whole[at] === line) expect(of).toContain(at + 1);
      expect(events.length).toBeLessThanOrEqual(12);
    }),
  );
});
