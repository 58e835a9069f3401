import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { interactionSerde } from '../../processors/index.ts';
import { openEmbeddedRegistry, type Interaction, type Serde } from '../../schemas/index.ts';
import type { App } from './context.ts';
import { FakeHost } from './fake-host.ts';
import { buildServer } from './server.ts';

let folder: string;
let host: FakeHost;
let app: App;
let serde: Serde<Interaction>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-events-'));
  const registry = await openEmbeddedRegistry(folder);
  serde = await interactionSerde(registry, 'interactions');
  host = new FakeHost();
  app = await buildServer({ host, registry, limits: { bodyBytesMax: 4096, ingestBytesMax: 6000, hostDeadlineMs: 50 } });
});

afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

async function post(payload: string | Buffer | object, headers: Record<string, string> = {}) {
  const typed = typeof payload === 'string' || Buffer.isBuffer(payload) ? { 'content-type': 'application/json' } : {};
  const answer = await app.inject({ method: 'POST', url: '/v1/events', payload, headers: { ...typed, ...headers } });
  return { status: answer.statusCode, body: answer.json<Taken>() };
}

const ndjson = (lines: string | Buffer) => post(lines, { 'content-type': 'application/x-ndjson' });

interface Taken {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
  readonly error: { readonly code: string; readonly message: string };
}

const view = { userId: 'u', productId: 'p', type: 'view' };

function events(): Interaction[] {
  return produced('interactions').map(({ value }) => serde.deserialize(value!));
}

function produced(topic: string) {
  return host.produced.filter((of) => of.topic === topic).flatMap(({ records }) => records);
}

function letters() {
  return produced('interactions.dead-letter').map(({ value, headers }) => ({
    raw: Buffer.from(value!).toString('latin1'),
    ...Object.fromEntries((headers ?? []).map(({ key, value: of }) => [key, Buffer.from(of).toString()])),
  }));
}

describe('what is taken', () => {
  test('one event, with what it leaves out filled in', async () => {
    const before = Date.now();
    const { status, body } = await post(view);
    expect([status, body]).toEqual([200, { accepted: 1, duplicates: 0, rejected: [] }]);
    const [event] = events();
    expect(event).toMatchObject({ ...view, sessionId: null, quantity: 1, price: 0, currency: null, service: false });
    expect(event!.timestamp).toBeGreaterThanOrEqual(before);
    expect(event!.eventId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('an array, and lines: blank lines are passed over, the last needs no line end', async () => {
    expect((await post([view, view])).body.accepted).toBe(2);
    const line = JSON.stringify(view);
    expect((await ndjson(`${line}\n\n  \r\n${line}\r\n${line}`)).body.accepted).toBe(3);
    expect((await post([])).body).toEqual({ accepted: 0, duplicates: 0, rejected: [] });
    expect((await ndjson('')).body).toEqual({ accepted: 0, duplicates: 0, rejected: [] });
  });

  test('the same event ids again are duplicates, in one request and in the next', async () => {
    const event = { ...view, eventId: 'e1', timestamp: 1 };
    expect((await post([event, { ...event, eventId: 'e2' }])).body).toEqual({
      accepted: 2,
      duplicates: 0,
      rejected: [],
    });
    expect((await post([event, { ...event, eventId: 'e3' }])).body).toEqual({
      accepted: 1,
      duplicates: 1,
      rejected: [],
    });
  });

  test('an Idempotency-Key makes a request without ids safe to send again; another key is another request', async () => {
    const again = async (key: string) => (await post([view, view], { 'idempotency-key': key })).body;
    expect(await again('k1')).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(await again('k1')).toMatchObject({ accepted: 0, duplicates: 2 });
    expect(await again('k2')).toMatchObject({ accepted: 2, duplicates: 0 });
    expect((await post(view)).body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect((await post(view)).body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect((await post(view, { 'idempotency-key': 'x'.repeat(201) })).status).toBe(400);
  });

  test('another body under the same Idempotency-Key loses no event: what differs is accepted', async () => {
    const keyed = { 'idempotency-key': 'k' };
    const taken = async (body: readonly object[]) => (await post(body, keyed)).body;
    const other = { ...view, productId: 'q' };
    expect(await taken([view, view])).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(await taken([view, other])).toMatchObject({ accepted: 1, duplicates: 1 });
    expect(await taken([other, view])).toMatchObject({ accepted: 1, duplicates: 1 });
    expect(events().map(({ productId }) => productId)).toEqual(['p', 'p', 'q', 'q']);
    expect(new Set(events().map(({ eventId }) => eventId)).size).toBe(4);
  });

  test('an event is the same under its key as JSON and as a line, however it is spaced', async () => {
    const keyed = { 'idempotency-key': 'k' };
    expect((await post([view], keyed)).body).toMatchObject({ accepted: 1, duplicates: 0 });
    const spaced = JSON.stringify(view, undefined, 1).replaceAll('\n', ' ');
    const line = await post(`${spaced}\r\n`, { ...keyed, 'content-type': 'application/x-ndjson' });
    expect(line.body).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  test('other rejected events under the same key are other dead letters, torn lines included', async () => {
    const keyed = { 'idempotency-key': 'k', 'content-type': 'application/x-ndjson' };
    for (const line of ['{"a"', '{"b"', '{"a"', '{"c":1}', '{"d":1}', '{"c":1}']) await post(line, keyed);
    expect(letters().map(({ raw }) => raw)).toEqual(['{"a"', '{"b"', '{"c":1}', '{"d":1}']);
  });

  test('a rejected event of a request that is sent again makes one dead letter', async () => {
    for (let times = 0; times < 2; times += 1) await post([{}], { 'idempotency-key': 'k' });
    expect(letters()).toHaveLength(1);
  });
});

describe('what is rejected', () => {
  test.each([
    [{ ...view, quantity: '3' }, 'quantity wants an integer 1..1000000000, found "3"'],
    [{ ...view, price: 2.5 }, 'price wants a safe integer of 1/10,000, 0 or more, found 2.5'],
    [{ ...view, type: 'stare' }, 'type wants one of view, cart'],
    [{ ...view, colour: 'red' }, 'colour is not a field of an interaction'],
    [{ productId: 'p', type: 'view' }, 'userId wants a userId or a sessionId, found neither'],
    [{ ...view, productId: 'x'.repeat(201) }, 'productId wants text of 1..200 characters, found 201'],
    [{ ...view, eventId: 5 }, 'eventId wants text'],
    [{ ...view, timestamp: '2011-01-01' }, 'timestamp wants integer ms since epoch'],
    [{ ...view, timestamp: null }, 'timestamp wants integer ms since epoch'],
    [{ ...view, title: '\ud800' }, 'found a lone surrogate'],
    ['text', 'an event wants an object, found "text"'],
    [null, 'an event wants an object, found null'],
    [[view], 'an event wants an object, found an array'],
  ])('%j goes to the dead letters with its reason, its neighbours are taken', async (bad, reason) => {
    const { status, body } = await post([view, bad, view]);
    expect([status, body.accepted]).toEqual([200, 2]);
    expect(body.rejected).toEqual([{ index: 1, reason: expect.stringContaining(reason) as string }]);
    expect(letters()).toEqual([
      expect.objectContaining({
        raw: Buffer.from(JSON.stringify(bad)).toString('latin1'),
        'millrace.source.file': 'POST /v1/events',
        'millrace.source.line': '1',
        'millrace.rejected.reason': body.rejected[0]!.reason,
      }),
    ]);
  });

  test('an event more than five minutes ahead is rejected, one just within is taken', async () => {
    const now = Date.now();
    const { body } = await post([
      { ...view, timestamp: now + 4 * 60_000 },
      { ...view, timestamp: now + 6 * 60_000 },
    ]);
    expect(body.accepted).toBe(1);
    expect(body.rejected).toEqual([
      { index: 1, reason: expect.stringContaining('timestamp wants at most 300000 ms ahead of the clock') as string },
    ]);
  });

  test('a torn line, one of another encoding and one of another type each cost themselves only', async () => {
    const line = Buffer.from(JSON.stringify(view));
    const newline = Buffer.from('\n');
    const lines = [line, line.subarray(0, 20), Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), Buffer.from('7'), line];
    const { status, body } = await ndjson(Buffer.concat(lines.flatMap((of) => [of, newline])));
    expect([status, body.accepted]).toEqual([200, 2]);
    expect(body.rejected.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(body.rejected[0]!.reason).toContain('the line is not JSON');
    expect(body.rejected[1]!.reason).toBe('the line wants UTF-8, found other bytes');
    expect(letters().map(({ raw }) => raw)).toEqual(lines.slice(1, 4).map((of) => of.toString('latin1')));
  });
});

describe('what is refused as a whole', () => {
  test.each([
    ['{"userId":"u","prod', 'The body is not JSON'],
    ['', 'The body wants JSON, found nothing.'],
    [Buffer.from([0x22, 0xff, 0x22]), 'The body wants JSON in UTF-8, found other bytes.'],
  ])('%j is 400', async (payload, message) => {
    const { status, body } = await post(payload);
    expect([status, body.error.code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(body.error.message).toContain(message);
    expect(host.produced).toEqual([]);
  });

  test('a body beyond the bound is 413 and says the bound', async () => {
    const { status, body } = await ndjson('x'.repeat(4097));
    expect([status, body.error.code]).toEqual([413, 'BODY_TOO_LARGE']);
    expect(body.error.message).toBe('A body wants at most 4096 bytes, found 4097: send it in parts.');
    expect(host.produced).toEqual([]);
  });

  test('another content type is 415', async () => {
    const { status, body } = await post('a,b', { 'content-type': 'text/csv' });
    expect([status, body.error.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
    expect(body.error.message).toBe(
      'The content type wants to be application/json or application/x-ndjson, found text/csv.',
    );
  });

  test('what is refused for its headers gives back the room that its body took', async () => {
    const line = `${JSON.stringify({ ...view, title: 'x'.repeat(3800) })}\n`;
    const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': 'k'.repeat(201) };
    for (let times = 0; times < 3; times++) expect((await post(line, headers)).status).toBe(400);
    expect((await ndjson(line)).status).toBe(200);
  });

  test('more bytes than may wait for the log are turned away until the log has caught up', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    host.answers.produce = async () => {
      await held;
      return { appended: 1, duplicates: [] };
    };
    const line = `${JSON.stringify({ ...view, title: 'x'.repeat(3800) })}\n`;
    expect((await ndjson(line)).body.error.message).toContain('Writing the events took longer than 50 ms');
    const turned = await ndjson(line);
    expect([turned.status, turned.body.error.code]).toEqual([503, 'OVERLOADED']);
    expect(turned.body.error.message).toContain('At most 6000 bytes of records may wait for the log');
    release();
    await expect.poll(async () => (await ndjson(line)).status).toBe(200);
  });
});
