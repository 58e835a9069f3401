import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Compile } from 'typebox/compile';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultShopParameters, interactionSerde } from '../../processors/index.ts';
import { MillraceError, openEmbeddedRegistry, type SchemaRegistry } from '../../schemas/index.ts';
import type { GenerationFacts } from '../host/messages.ts';
import { Failure, List } from './answers.ts';
import type { App } from './context.ts';
import { bestSellersRow, FakeHost, smallShop, statsOf } from './fake-host.ts';
import { buildServer, startServer } from './server.ts';

let folder: string;
let registry: SchemaRegistry;
let host: FakeHost;
let app: App;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-server-'));
  registry = await openEmbeddedRegistry(folder);
  host = new FakeHost();
  app = await buildServer({ host, registry, limits: { bodyBytesMax: 4096, hostDeadlineMs: 50 } });
});

afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

async function publish(rows = smallShop(), offset = 21): Promise<void> {
  host.publish(rows, offset);
  await turn();
  await turn();
}

async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await app.inject({ method: 'GET', url, headers });
  return { status: answer.statusCode, body: answer.json<Body>(), headers: answer.headers };
}

interface Body {
  readonly items: {
    readonly id: string;
    readonly title: string;
    readonly score: number;
    readonly reason: object;
    readonly source?: string;
  }[];
  readonly error: { readonly code: string; readonly message: string; readonly details?: { readonly field?: string } };
  readonly [field: string]: unknown;
}

const isList = Compile(List);
const isFailure = Compile(Failure);

describe('lists', () => {
  beforeEach(() => publish());

  test('similar names the strongest relation, explains each item and says what it reflects', async () => {
    const { status, body, headers } = await get('/v1/products/lamp/similar');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(isList.Errors(body)).toEqual([]);
    expect(body['source']).toBe('bought');
    expect(body['asOf']).toEqual([{ topic: 'interactions', partition: 0, offset: 21 }]);
    expect(body.items.map(({ id }) => id)).toEqual(['a/b', 'mug']);
    expect(body.items[0]).toMatchObject({
      title: 'Title of a/b',
      reason: { kind: 'bought-with', item: 'lamp', count: 5 },
    });
    expect(body.items[1]!.title).toBe('Mug <b>"red"</b>');
  });

  test('bought together counts sessions', async () => {
    const { body } = await get('/v1/products/mug/bought-together');
    expect(isList.Check(body)).toBe(true);
    expect(body.items.map(({ id, score }) => [id, score])).toEqual([
      ['a/b', 5 / 29],
      ['lamp', 4 / 29],
    ]);
  });

  test('limit and exclude cut a list; exclude is a list with commas or repeated', async () => {
    expect((await get('/v1/products/lamp/similar?limit=1')).body.items).toHaveLength(1);
    expect((await get('/v1/products/lamp/similar?relation=bought')).body['source']).toBe('bought');
    expect((await get('/v1/products/lamp/similar?relation=viewed-bought')).body).toMatchObject({
      items: [],
      source: 'none',
    });
    expect((await get('/v1/products/lamp/similar?exclude=a%2Fb')).body.items.map(({ id }) => id)).toEqual(['mug']);
    expect((await get('/v1/products/lamp/similar?exclude=a%2Fb,mug')).body.items).toEqual([]);
    expect((await get('/v1/products/lamp/similar?exclude=a%2Fb&exclude=mug')).body.items).toEqual([]);
  });

  test('ids with slashes, spaces and letters beyond ASCII are reached encoded', async () => {
    await publish(
      ['b ü/%', '東京'].map((key) => ({ store: 'product-stats' as const, key, value: statsOf(1) })),
      22,
    );
    expect((await get('/v1/products/a%2Fb/similar')).body.items[0]!.id).toBe('lamp');
    expect((await get(`/v1/products/${encodeURIComponent('b ü/%')}/similar`)).status).toBe(200);
    expect((await get(`/v1/products/${encodeURIComponent('東京')}/similar`)).body['source']).toBe('none');
  });

  test('a known user gets what goes with the last items, then best sellers, and never the items again', async () => {
    const { body } = await get('/v1/users/ann/recommendations');
    expect(isList.Errors(body)).toEqual([]);
    expect(body['source']).toBe('user');
    expect(body.items.map(({ id, reason }) => [id, reason])).toEqual([
      ['a/b', { kind: 'because-of', item: 'lamp', count: 5 }],
      ['mug', { kind: 'because-of', item: 'lamp', count: 3 }],
    ]);
    const filled = await get('/v1/users/ann/recommendations?exclude=mug');
    expect(filled.body.items.map(({ id }) => id)).toEqual(['a/b']);
  });

  test('an unknown user gets the best sellers, named so, without services', async () => {
    const { body } = await get('/v1/users/nobody/recommendations?limit=2');
    expect(isList.Errors(body)).toEqual([]);
    expect(body['source']).toBe('best-sellers');
    expect(body.items.map(({ id, score, reason }) => [id, score, reason])).toEqual([
      ['a/b', 9, { kind: 'best-seller', count: 9 }],
      ['lamp', 7, { kind: 'best-seller', count: 7 }],
    ]);
  });

  test('a session gets what goes with its items; what is missing is filled with best sellers', async () => {
    const ask = (body: object) => app.inject({ method: 'POST', url: '/v1/recommendations', payload: body });
    const known = (await ask({ items: ['nothing-known', 'mug'] })).json<Body>();
    expect(isList.Errors(known)).toEqual([]);
    expect(known['source']).toBe('session');
    expect(known.items.map(({ id }) => id)).toEqual(['a/b', 'lamp']);
    const seen = (await ask({ items: ['mug'], includeSeen: true })).json<Body>();
    expect(seen.items.map(({ id, reason }) => [id, reason]).at(-1)).toEqual(['mug', { kind: 'best-seller', count: 5 }]);
    const unknown = (await ask({ items: ['nothing-known'], limit: 1, exclude: ['a/b'] })).json<Body>();
    expect(unknown['source']).toBe('best-sellers');
    expect(unknown.items.map(({ id }) => id)).toEqual(['lamp']);
  });

  test('what is missing comes from the category of the newest seed that has one, then from the whole shop', async () => {
    await publish([
      { store: 'product-categories', key: 'lamp', value: [{ fromMs: 0, category: 'Light' }] },
      bestSellersRow({ mug: 3, lamp: 2 }, 'Light'),
    ]);
    const ask = { items: ['lamp', 'POST'], exclude: ['mug'], limit: 3, includeSeen: true };
    const session = (await app.inject({ method: 'POST', url: '/v1/recommendations', payload: ask })).json<Body>();
    expect(isList.Errors(session)).toEqual([]);
    expect(session.items.map(({ id, source }) => [id, source])).toEqual([
      ['a/b', 'session'],
      ['lamp', 'session'],
    ]);
    const alone = { items: ['lamp'], exclude: ['a/b', 'mug'], includeSeen: true };
    const { items } = (await app.inject({ method: 'POST', url: '/v1/recommendations', payload: alone })).json<Body>();
    expect(items.map(({ id, source }) => [id, source])).toEqual([['lamp', 'best-sellers-in-category']]);
    const { body } = await get('/v1/users/nobody/recommendations?limit=2');
    expect(body.items.map(({ id, source }) => [id, source])).toEqual([
      ['a/b', 'best-sellers'],
      ['lamp', 'best-sellers'],
    ]);
  });

  test('an answer is kept for its publication only', async () => {
    const before = await get('/v1/users/nobody/recommendations?limit=1');
    expect((await get('/v1/users/nobody/recommendations?limit=1')).body).toEqual(before.body);
    await publish([bestSellersRow({ mug: 50, 'a/b': 9, lamp: 7 })], 30);
    const after = await get('/v1/users/nobody/recommendations?limit=1');
    expect(after.body.items[0]!.id).toBe('mug');
    expect(after.body['asOf']).toEqual([{ topic: 'interactions', partition: 0, offset: 30 }]);
  });

  test('a product that no event has named is 404', async () => {
    for (const url of ['/v1/products/nope/similar', '/v1/products/nope/bought-together']) {
      const { status, body } = await get(url);
      expect([status, body.error.code]).toEqual([404, 'NOT_FOUND']);
      expect(body.error.message).toContain("'nope'");
    }
  });
});

describe('bad input', () => {
  beforeEach(() => publish());

  test.each([
    ['/v1/products/lamp/similar?limit=0', 'limit', 'wants at least 1, found 0'],
    ['/v1/products/lamp/similar?limit=101', 'limit', 'wants at most 100, found 101'],
    ['/v1/products/lamp/similar?limit=ten', 'limit', 'wants an integer, found "ten"'],
    ['/v1/products/lamp/similar?limit=1.5', 'limit', 'wants an integer, found "1.5"'],
    ['/v1/products/lamp/similar?limit=1&limit=2', 'limit', 'wants an integer'],
    ['/v1/products/lamp/similar?limits=5', 'limits', 'is not known here'],
    ['/v1/products/lamp/similar?exclude=a&__proto__=5', '__proto__', 'is not known here'],
    ['/v1/users/ann/recommendations?exclude=' + 'x,'.repeat(201), 'exclude', 'wants at most 200 items'],
    [`/v1/products/${'x'.repeat(201)}/similar`, 'id', 'wants at most 200 characters'],
    ['/v1/products/lamp/stats?window=week', 'window', 'found "week"'],
    ['/v1/products/lamp/stats?from=2011-02-30', 'from', "wants a day as YYYY-MM-DD, found '2011-02-30'"],
    ['/v1/products/lamp/stats?from=2011-02-02&to=2011-02-01', 'to', 'wants a day from 2011-02-02 on'],
    ['/v1/lag?x=1', 'x', 'is not known here'],
    ['/health/live?x=1', 'x', 'is not known here'],
  ])('%s is 400 and names %s', async (url, field, message) => {
    const { status, body } = await get(url);
    expect([status, body.error.code, body.error.details?.field]).toEqual([400, 'INVALID_ARGUMENT', field]);
    expect(body.error.message).toContain(message);
    expect(isFailure.Check(body)).toBe(true);
  });

  test.each([
    [{}, 'items', "Field 'items' is missing."],
    [{ items: 'mug' }, 'items', 'wants an array, found "mug"'],
    [{ items: [5] }, 'items.0', 'wants a string, found 5'],
    [{ items: [], limit: '5' }, 'limit', 'wants an integer, found "5"'],
    [{ items: [], seen: true }, 'seen', 'is not known here'],
  ])('a session %j is 400 and names %s', async (payload, field, message) => {
    const answer = await app.inject({ method: 'POST', url: '/v1/recommendations', payload });
    expect([answer.statusCode, answer.json<Body>().error.details?.field]).toEqual([400, field]);
    expect(answer.json<Body>().error.message).toContain(message);
  });

  test('a path that is not there is 404, a method that a path lacks 405 with what it has', async () => {
    const { status, body } = await get('/v1/nothing?x=1');
    expect([status, body.error.code, body.error.message]).toEqual([
      404,
      'NOT_FOUND',
      'There is no /v1/nothing; /docs lists what there is.',
    ]);
    for (const [method, url, allowed] of [
      ['PATCH', '/v1/products/lamp', 'PUT, DELETE, GET, HEAD'],
      ['DELETE', '/v1/products/lamp/similar', 'GET, HEAD'],
      ['GET', '/v1/events', 'POST'],
      ['PUT', '/v1/recommendations', 'POST'],
      ['POST', '/health/live', 'GET, HEAD'],
    ] as const) {
      const answer = await app.inject({ method, url, payload: 'x', headers: { 'content-type': 'text/x' } });
      expect([answer.statusCode, answer.headers['allow']]).toEqual([405, allowed]);
      expect(answer.json<Body>().error.code).toBe('METHOD_NOT_ALLOWED');
    }
  });

  test('a path that is no valid encoding is 400', async () => {
    const { status, body } = await get('/v1/products/%ff/similar');
    expect([status, body.error.code]).toEqual([400, 'INVALID_ARGUMENT']);
  });
});

describe('queries of the host thread', () => {
  const asOf = [{ topic: 'interactions', partition: 0, offset: 4 }];

  test('a product is its totals, title and estimated users as of one commit', async () => {
    host.answers.getMany = ({ keys }) => {
      expect(keys.map(({ store, key }) => `${store} ${key}`)).toEqual([
        'product-stats a/b',
        'product-titles a/b',
        'product-users a/b',
        'products a/b',
      ]);
      return {
        values: [statsOf(3), [{ title: 'T', events: 1, firstMs: 1, firstEventId: 'e' }], { uniqueUsers: 2 }, null],
        asOf,
      };
    };
    const { status, body } = await get('/v1/products/a%2Fb');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: 'a/b',
      title: 'T',
      purchases: 3,
      revenue: 30_000,
      users: 2,
      service: false,
      asOf,
    });
  });

  test('an unknown product, user, store or key is 404', async () => {
    host.answers.getMany = () => ({ values: [null, null, null, null], asOf });
    host.answers.get = ({ store }) => {
      if (store === 'nope') throw new MillraceError('STORE_NOT_FOUND', "There is no store 'nope'.", { store });
      return { found: false, partition: undefined, value: null, asOf };
    };
    for (const url of ['/v1/products/x', '/v1/products/x/stats', '/v1/users/x/profile', '/v1/stores/pairs/keys/5']) {
      const { status, body } = await get(url);
      expect([url, status, body.error.code]).toEqual([url, 404, 'NOT_FOUND']);
    }
  });

  test('figures by day are sums of hours, cut to the range asked for, which is half open', async () => {
    host.answers.get = () => ({ found: true, partition: 0, value: statsOf(3), asOf });
    const one = { views: 0, carts: 0, purchases: 1, returns: 0, quantity: 1, revenue: 1 };
    host.answers.getMany = ({ keys }) => ({
      values: keys.map(({ key }) =>
        key.endsWith('2010-12')
          ? [
              { hour: 29 * 24, ...one },
              { hour: 30 * 24 - 1, ...one },
              { hour: 30 * 24, ...one },
            ]
          : [{ hour: 24 + 5, ...one }],
      ),
      asOf,
    });
    const periods = async (query: string) =>
      ((await get(`/v1/products/lamp/stats${query}`)).body['periods'] as { start: string; purchases: number }[]).map(
        ({ start, purchases }) => [start, purchases],
      );
    expect(await periods('?window=day')).toEqual([
      ['2010-12-30', 2],
      ['2010-12-31', 1],
      ['2011-01-02', 1],
    ]);
    expect(await periods('?from=2010-12-31&to=2011-01-02')).toEqual([['2010-12-31', 1]]);
    expect(await periods('?to=2010-12-31&window=hour')).toEqual([
      ['2010-12-30T00:00Z', 1],
      ['2010-12-30T23:00Z', 1],
    ]);
  });

  test('hours and funnel of a category are asked for at once, so they are of one commit', async () => {
    const one = { views: 1, carts: 0, purchases: 0, returns: 0, quantity: 0, revenue: 0 };
    const hours = [{ hour: 5, ...one }];
    host.answers.range = () => ({ rows: [{ key: 'a/b/2011-01', partition: 0, value: hours }], cursor: null, asOf: [] });
    const asked: string[][] = [];
    host.answers.getMany = ({ keys }) => {
      asked.push(keys.map(({ store, key }) => `${store} ${key}`));
      return { values: [hours, [{ day: 1, windows: [1, 0, 0, 0, 0, 0, 0] }]], asOf };
    };
    const { body } = await get('/v1/categories/a%2Fb/stats');
    expect(asked).toEqual([['category-hours a/b/2011-01', 'category-funnels a/b/2011-01']]);
    expect(body).toMatchObject({
      ...{ id: 'a/b', from: '2011-01-01', to: '2011-01-02', asOf },
      periods: [{ start: '2011-01-01', views: 1 }],
      funnel: { windows: 1, viewed: 1, days: [{ start: '2011-01-01', windows: 1 }] },
    });
  });

  test('the topology is JSON, or text for who asks for text first', async () => {
    host.answers.topology = () => ({ text: 'Topologies:\n', json: { subtopologies: [] }, execution: '' });
    expect((await get('/v1/topology')).body).toEqual({ subtopologies: [] });
    const text = await app.inject({ url: '/v1/topology', headers: { accept: 'text/plain' } });
    expect([text.headers['content-type'], text.body]).toEqual(['text/plain; charset=utf-8', 'Topologies:\n']);
    expect((await get('/v1/topology', { accept: 'application/json, text/plain' })).body).toEqual({ subtopologies: [] });
  });

  test('a host that answers too late is 503 OVERLOADED with Retry-After', async () => {
    host.answers.getMany = () => new Promise(() => {});
    host.answers.produce = () => new Promise(() => {});
    const { status, body, headers } = await get('/v1/users/ann/profile');
    expect([status, body.error.code, headers['retry-after']]).toEqual([503, 'OVERLOADED', '1']);
    const posted = await app.inject({
      method: 'POST',
      url: '/v1/events',
      payload: { userId: 'u', productId: 'p', type: 'view' },
    });
    expect([posted.statusCode, posted.json<Body>().error.code]).toEqual([503, 'OVERLOADED']);
  });

  test('an error of our own is 500 and keeps its stack to the log', async () => {
    host.answers.stores = () => {
      throw new TypeError('secret detail');
    };
    const { status, body } = await get('/v1/stores');
    expect([status, body.error.code]).toEqual([500, 'INTERNAL']);
    expect(JSON.stringify(body)).not.toContain('secret');
  });
});

describe('health', () => {
  test('ready once the stores are published and what the log held has been processed', async () => {
    let committedOffset = 3;
    host.answers.lag = () => [
      {
        task: '0_0',
        topic: 'interactions',
        partition: 0,
        committedOffset,
        endOffset: 10,
        lagRecords: 10 - committedOffset,
      },
    ];
    expect(await get('/health/live')).toMatchObject({ status: 200, body: { status: 'live' } });
    expect((await get('/health/ready')).body['reasons']).toEqual([
      'The stores have not been read yet.',
      'The topology works through what the log held when the server started.',
    ]);
    await publish();
    expect((await get('/health/ready')).status).toBe(503);
    committedOffset = 10;
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ready', reasons: [] } });
    host.topologyFailed(new MillraceError('TASK_STOPPED', 'Task 0_0 stopped.'));
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'not-ready', reasons: ['The topology has stopped: TASK_STOPPED: Task 0_0 stopped.'] },
    });
  });

  test('metrics count requests by route, ingest by outcome, and show lag and the counters of the runtime', async () => {
    host.answers.lag = () => [
      { task: '0_0', topic: 'interactions', partition: 0, committedOffset: 1, endOffset: 6, lagRecords: 5 },
    ];
    host.answers.metrics = () => ({ 'late-records{node="count"}': 2 });
    await publish();
    await get('/v1/products/lamp/similar');
    const events = [
      { userId: 'u', productId: 'p', type: 'view' },
      { userId: 'u', productId: 'p', type: 'stare' },
    ];
    await app.inject({ method: 'POST', url: '/v1/events', payload: events });
    const { body } = await app.inject({ url: '/metrics' });
    expect(body).toContain('millrace_http_request_seconds_count{route="/v1/products/:id/similar",status="200"} 1');
    expect(body).toContain('millrace_ingest_events_total{outcome="accepted"} 1');
    expect(body).toContain('millrace_ingest_events_total{outcome="rejected"} 1');
    expect(body).toContain('millrace_ingest_rejected_total{rule="type"} 1');
    expect(body).toContain('millrace_lag_records{task="0_0",topic="interactions",partition="0"} 5');
    expect(body).toContain('millrace_runtime_total{counter="late-records{node=\\"count\\"}"} 2');
  });

  test('the overview has what the page shows', async () => {
    await publish();
    const { body } = await get('/v1/overview');
    expect(body).toMatchObject({ events: 21, lagRecords: 0, items: 3, ready: true });
    expect((body['bestSellers'] as { id: string }[]).map(({ id }) => id)).toEqual(['a/b', 'lamp', 'mug']);
  });

  test('the page comes with a policy that lets nothing in, and its two files', async () => {
    const page = await app.inject({ url: '/' });
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    for (const [, file] of page.body.matchAll(/(?:src|href)="(\/page[^"]*)"/g)) {
      expect([file, (await app.inject({ url: file! })).statusCode]).toEqual([file, 200]);
    }
    expect(page.body).not.toMatch(/<script(?! src)|style=|https?:/);
    expect((await app.inject({ url: '/page.js' })).body).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write/);
  });

  test('the OpenAPI page lists every route of the API', async () => {
    const { body } = await get('/openapi.json');
    expect(Object.keys(body['paths'] as object).toSorted()).toEqual([
      '/health/live',
      '/health/ready',
      '/metrics',
      '/v1/backups',
      '/v1/categories',
      '/v1/categories/{id}/stats',
      '/v1/events',
      '/v1/generations',
      '/v1/generations/{id}',
      '/v1/generations/{id}/activate',
      '/v1/lag',
      '/v1/overview',
      '/v1/products',
      '/v1/products/{id}',
      '/v1/products/{id}/bought-together',
      '/v1/products/{id}/similar',
      '/v1/products/{id}/stats',
      '/v1/recommendations',
      '/v1/replays',
      '/v1/replays/{id}',
      '/v1/stores',
      '/v1/stores/{name}/keys/{key}',
      '/v1/stores/{name}/range',
      '/v1/stores/{name}/windows/{key}',
      '/v1/topology',
      '/v1/trending',
      '/v1/users/{id}',
      '/v1/users/{id}/profile',
      '/v1/users/{id}/recommendations',
    ]);
    expect((await app.inject({ url: '/docs' })).statusCode).toBe(200);
  });
});

describe('listening', () => {
  test('what is no HTTP leaves in the shape of every error', async () => {
    await using server = await startServer({ host: new FakeHost(), registry, port: 0 });
    const ask = async (head: string) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.end(head);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      const [status, body] = answer.toString().split('\r\n\r\n') as [string, string];
      return { status: status.slice(9, 12), code: (JSON.parse(body) as Body).error.code };
    };
    expect(await ask('GIVE ME\r\n\r\n')).toEqual({ status: '400', code: 'INVALID_ARGUMENT' });
    const large = `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await ask(large)).toEqual({ status: '431', code: 'INVALID_ARGUMENT' });
  });

  test('binds to this machine only, and says what to do when the port is taken', async () => {
    await using first = await startServer({ host: new FakeHost(), registry, port: 0 });
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const port = Number(new URL(first.url).port);
    await expect(startServer({ host: new FakeHost(), registry, port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `Port ${port} of 127.0.0.1 is in use by another process: stop it, or choose another port with --port (0 takes a free one).`,
    });
  });
});

test('events are written in the schema of the topic', async () => {
  await app.inject({
    method: 'POST',
    url: '/v1/events',
    payload: { eventId: 'e', userId: 'u', productId: 'p', type: 'view', timestamp: 5 },
  });
  const serde = await interactionSerde(registry, 'interactions');
  const [{ records }] = host.produced as [FakeHost['produced'][number]];
  expect({ ...serde.deserialize(records[0]!.value!) }).toMatchObject({
    eventId: 'e',
    userId: 'u',
    quantity: 1,
    price: 0,
    timestamp: 5,
  });
  expect(Buffer.from(records[0]!.key!).toString()).toBe('u:u');
});

describe('replays', () => {
  const generation: GenerationFacts = {
    ...{ id: 2, state: 'replaying', parameters: defaultShopParameters, startOffsets: [], createdMs: 1 },
    ...{ activatedMs: null, activeFrom: null, progress: null },
  };

  test('a start is asked for as it is said, and the generation comes back', async () => {
    const asked: object[] = [];
    host.answers.replay = (request) => {
      asked.push(request);
      return generation;
    };
    const bodies = [
      {},
      { from: { timeMs: 5 }, parameters: { pairPositions: 3 } },
      { from: { offsets: [1, 2] }, trimmed: true },
    ];
    for (const payload of bodies) {
      const answer = await app.inject({ method: 'POST', url: '/v1/replays', payload });
      expect([answer.statusCode, answer.json()]).toEqual([202, generation]);
    }
    expect(asked).toEqual([
      { kind: 'replay', from: { kind: 'earliest' }, trimmed: false, parameters: {} },
      { kind: 'replay', from: { kind: 'time', timeMs: 5 }, trimmed: false, parameters: { pairPositions: 3 } },
      { kind: 'replay', from: { kind: 'offsets', offsets: [1, 2] }, trimmed: true, parameters: {} },
    ]);
    const wrong = await app.inject({ method: 'POST', url: '/v1/replays', payload: { from: 'earliest' } });
    expect(wrong.statusCode).toBe(400);
  });

  test('what is refused is a conflict; what is not there is not found', async () => {
    host.answers.replay = () => {
      throw new MillraceError('REPLAY_RUNNING', 'The replay into generation 2 is under way');
    };
    host.answers.generations = () => [generation];
    const refused = await app.inject({ method: 'POST', url: '/v1/replays', payload: {} });
    expect([refused.statusCode, refused.json<Body>().error.code]).toEqual([409, 'REPLAY_RUNNING']);
    expect((await get('/v1/replays/2')).body).toEqual(generation);
    expect((await get('/v1/replays/3')).status).toBe(404);
    expect((await get('/v1/replays/two')).status).toBe(400);
    expect((await get('/v1/generations')).body).toEqual({ generations: [generation] });
  });
});
