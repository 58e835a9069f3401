import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openEmbeddedRegistry } from '../schemas/index.ts';
import { Host, startServer, type RunningServer } from './index.ts';

let dataDir: string;
let system: System;

interface System {
  readonly host: Host;
  readonly server: RunningServer;
}

async function start(partitions = 1): Promise<System> {
  const host = await Host.open({ dataDir, partitions });
  return { host, server: await startServer({ host, registry: await openEmbeddedRegistry(dataDir), port: 0 }) };
}

async function stop(): Promise<void> {
  await system.server.close();
  await system.host.close();
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-serving-'));
});

afterEach(async () => {
  await stop();
  await rm(dataDir, { recursive: true });
});

interface List {
  readonly source: string;
  readonly items: readonly { readonly id: string; readonly title: string | null; readonly reason: object }[];
  readonly asOf: readonly { readonly topic: string; readonly offset: number }[];
}

async function get<T>(path: string): Promise<{ readonly status: number; readonly body: T }> {
  const answer = await fetch(`${system.server.url}${path}`);
  return { status: answer.status, body: (await answer.json()) as T };
}

async function post(events: readonly object[], key?: string): Promise<object> {
  const headers = { 'content-type': 'application/x-ndjson', ...(key === undefined ? {} : { 'idempotency-key': key }) };
  const body = events.map((event) => JSON.stringify(event)).join('\n');
  const answer = await fetch(`${system.server.url}/v1/events`, { method: 'POST', headers, body });
  return (await answer.json()) as object;
}

/** Waits until look-ups reflect so many source records. */
async function reflects(records: number): Promise<void> {
  for (;;) {
    const { body } = await get<List>('/v1/users/nobody/recommendations');
    if (body.asOf.reduce((sum, { offset }) => sum + offset, 0) >= records) return;
    await sleep(5);
  }
}

/** Three sessions buy both products, at times an hour apart. */
function baskets(a: string, b: string): object[] {
  return [1, 2, 3].flatMap((hour) =>
    [a, b].map((productId, place) => ({
      productId,
      sessionId: `basket-${hour}`,
      userId: `user-${hour}`,
      type: 'purchase',
      price: 12_500,
      title: `The ${productId}`,
      timestamp: Date.UTC(2011, 0, 3, hour) + place,
    })),
  );
}

test('events over HTTP become similar items, statistics and profiles, over any number of partitions', async () => {
  for (const partitions of [1, 4]) {
    if (partitions === 4) {
      await stop();
      await rm(dataDir, { recursive: true });
    }
    system = await start(partitions);
    expect(await post(baskets('tea/pot', 'cup'))).toEqual({ accepted: 6, duplicates: 0, rejected: [] });
    await reflects(6);
    const { body } = await get<List>('/v1/products/tea%2Fpot/similar');
    expect(body.source).toBe('bought');
    expect(body.items).toMatchObject([
      { id: 'cup', title: 'The cup', reason: { kind: 'bought-with', item: 'tea/pot', count: 3 } },
    ]);
    expect((await get<List>('/v1/products/cup/bought-together')).body.items.map(({ id }) => id)).toEqual(['tea/pot']);
    expect((await get('/v1/products/cup')).body).toMatchObject({
      purchases: 3,
      revenue: 37_500,
      users: 3,
      title: 'The cup',
    });
    expect((await get('/v1/products/cup/stats?window=day')).body).toMatchObject({
      from: '2011-01-03',
      to: '2011-01-04',
      periods: [{ start: '2011-01-03', purchases: 3, quantity: 3, revenue: 37_500 }],
    });
    expect((await get('/v1/users/user-2/profile')).body).toMatchObject({
      purchases: 2,
      spend: 25_000,
      recent: [{ id: 'cup', title: 'The cup' }, { id: 'tea/pot' }],
    });
    expect((await get('/v1/stores/user-profiles/keys/user-2')).body).toMatchObject({ value: { purchases: 2 } });
  }
});

test('a request that is sent again counts once, also after a restart', async () => {
  system = await start();
  const events = baskets('pot', 'cup');
  expect(await post(events, 'key-1')).toEqual({ accepted: 6, duplicates: 0, rejected: [] });
  expect(await post(events, 'key-1')).toEqual({ accepted: 0, duplicates: 6, rejected: [] });
  await stop();
  system = await start();
  expect(await post(events, 'key-1')).toEqual({ accepted: 0, duplicates: 6, rejected: [] });
  await reflects(6);
  expect((await get('/v1/products/cup')).body).toMatchObject({ purchases: 3 });
});

test('a restart answers as before, from the same offsets', async () => {
  system = await start();
  await post(baskets('pot', 'cup'));
  await reflects(6);
  const before = await get<List>('/v1/products/pot/similar');
  await stop();
  system = await start();
  await reflects(6);
  expect(await get<List>('/v1/products/pot/similar')).toEqual(before);
});

test('what is rejected stands in the dead letters, beside what was accepted', async () => {
  system = await start();
  const [good] = baskets('pot', 'cup');
  const taken = await post([good!, { ...good, quantity: 0 }]);
  expect(taken).toMatchObject({
    accepted: 1,
    rejected: [{ index: 1, reason: 'quantity wants an integer 1..1000000000, found 0' }],
  });
  const of = { topic: 'interactions.dead-letter', partition: 0, offset: 0, maxRecords: 10 };
  const { nextOffset, records } = await system.host.request({ kind: 'read', ...of });
  expect(nextOffset).toBe(1);
  expect(Buffer.from(records).toString('latin1')).toContain('quantity wants an integer 1..1000000000, found 0');
});

test('every answer of a busy system is of one publication: both ends of a pair show it, or neither', async () => {
  system = await start(4);
  let wrong = 0;
  for (let round = 1; round <= 20; round += 1) {
    const [a, b] = [`a${round}`, `b${round}`];
    const posting = post(baskets(a, b).map((event) => ({ ...event, sessionId: `${round}` })));
    for (;;) {
      const [first, second] = await Promise.all([
        get<List>(`/v1/products/${a}/similar`),
        get<List>(`/v1/products/${b}/similar`),
      ]);
      const sameCut = JSON.stringify(first.body.asOf) === JSON.stringify(second.body.asOf);
      const [seenA, seenB] = [first, second].map(({ status, body }) => status === 200 && body.items.length > 0);
      if (first.status === 200 && second.status === 200 && sameCut && seenA !== seenB) wrong += 1;
      if (seenA === true && seenB === true) break;
    }
    await posting;
  }
  expect(wrong).toBe(0);
});

test('readiness tells the end of the backlog', async () => {
  system = await start();
  await post(baskets('pot', 'cup'));
  await reflects(6);
  expect((await get('/health/ready')).status).toBe(200);
  expect((await get<{ totalRecords: number }>('/v1/lag')).body.totalRecords).toBe(0);
});

test('rows of a store come page by page in key order, from all partitions', async () => {
  system = await start(4);
  await post(['cup', 'bowl', 'jug', 'pan', 'pot'].flatMap((id) => baskets(id, 'lid')));
  await reflects(30);
  interface Page {
    readonly rows: readonly { readonly key: string; readonly value: { readonly purchases: number } }[];
    readonly cursor: string | null;
  }
  const keys: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body }: { body: Page } = await get<Page>(`/v1/stores/product-stats/range?limit=2${next}`);
    keys.push(...body.rows.map(({ key }) => key));
    cursor = body.cursor;
  }
  expect(keys).toEqual(['bowl', 'cup', 'jug', 'lid', 'pan', 'pot']);
  const { body } = await get<Page>('/v1/stores/product-stats/range?prefix=p');
  expect(body.rows.map(({ key, value }) => [key, value.purchases])).toEqual([
    ['pan', 3],
    ['pot', 3],
  ]);
  expect((await get('/v1/stores/nothing/range')).status).toBe(404);
});

test('products are found by words of their titles, the most popular first, whatever made the title', async () => {
  system = await start(3);
  const found = async (query: string) => {
    const { body } = await get<{ products: readonly { id: string }[]; truncated: boolean }>(`/v1/products?${query}`);
    expect(body.truncated).toBe(false);
    return body.products.map(({ id }) => id);
  };
  const at = Date.UTC(2011, 0, 3);
  const event = { type: 'view', userId: 'ann', timestamp: at };
  await post([
    { ...event, productId: 'a', title: 'Red Lamp' },
    ...[1, 2].map((n) => ({ ...event, productId: 'b', title: 'Red lámps', timestamp: at + n })),
    { ...event, productId: 'c', title: 'Blue Lamp', type: 'purchase', price: 1 },
  ]);
  const versions = [
    { id: 'd', title: 'Réd Laminate', updatedAt: at },
    { id: 'e', title: 'Red Lamp', active: false, updatedAt: at },
  ];
  const send = async (products: readonly object[]) => {
    const body = products.map((product) => JSON.stringify(product)).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    await fetch(`${system.server.url}/v1/products`, { method: 'POST', headers, body });
    await system.host.request<'caughtUp'>({ kind: 'caughtUp' });
  };
  await send(versions);
  expect(await found('q=red+lam')).toEqual(['b', 'a', 'd']);
  expect(await found('q=LAMP&limit=2')).toEqual(['c', 'b']);
  expect(await found('q=red+lamp&inactive=true')).toEqual(['b', 'a', 'e']);
  expect(await found('q=lamp+green')).toEqual([]);
  const { body } = await get<{ products: readonly object[] }>('/v1/products?q=blue');
  const shown = { title: 'Blue Lamp', category: null, price: null, active: true, purchases: 1, views: 0 };
  expect(body.products).toEqual([{ id: 'c', ...shown }]);

  // The catalogue's title takes the place of that of the events, and leaves it to them again.
  await send([{ id: 'b', title: 'Green thing', updatedAt: at }]);
  expect(await found('q=red+lam')).toEqual(['a', 'd']);
  expect(await found('q=thing')).toEqual(['b']);
  await send([{ id: 'b', updatedAt: at + 1 }]);
  expect(await found('q=red+lam')).toEqual(['b', 'a', 'd']);
  await post([1, 2].map((n) => ({ ...event, productId: 'a', title: 'Old oil lamp', timestamp: at + 60_000 + n })));
  await system.host.request<'caughtUp'>({ kind: 'caughtUp' });
  expect(await found('q=red')).toEqual(['b', 'd']);
  expect(await found('q=old+lamp')).toEqual(['a']);
  for (const query of ['', 'q=', 'q=!', 'q=a&limit=101']) {
    expect([query, (await get(`/v1/products?${query}`)).status]).toEqual([query, 400]);
  }
});

test('windows and periods of a key come as one list, from whichever partition has it', async () => {
  system = await start(4);
  await post([
    ...baskets('cup/1', 'lid'),
    { ...(baskets('cup/1', 'lid')[0] as object), timestamp: Date.UTC(2011, 1, 1) },
  ]);
  await system.host.request<'caughtUp'>({ kind: 'caughtUp' });
  interface Answer {
    readonly windows: readonly { readonly startMs: number; readonly endMs: number; readonly value: object }[];
    readonly asOf: readonly object[];
  }
  const windowsOf = async (path: string) => (await get<Answer>(`/v1/stores/${path}`)).body;
  const hour = Date.UTC(2011, 0, 3, 2);
  const ofCup = await windowsOf('product-hours/windows/cup%2F1?from=2011-01-03T02:00Z');
  expect(ofCup).toMatchObject({ store: 'product-hours', key: 'cup/1' });
  expect(ofCup.windows.map(({ startMs }) => startMs)).toEqual([hour, hour + 3_600_000, Date.UTC(2011, 1, 1)]);
  expect(ofCup.windows[0]).toMatchObject({ endMs: hour + 3_600_000, value: { purchases: 1, revenue: 12_500 } });
  expect(ofCup.asOf.length).toBeGreaterThan(0);
  expect((await windowsOf('session-windows/windows/s%3Abasket-2?from=2011-01-03&to=2011-01-04')).windows).toMatchObject(
    [{ startMs: hour, endMs: hour + 1, value: { purchases: 2, user: { userId: 'user-2' } } }],
  );
  expect((await windowsOf('session-windows/windows/s%3Abasket-2?to=2011-01-03')).windows).toEqual([]);
  for (const [path, status] of [
    ['product-hours/windows/cup', 404],
    ['nothing/windows/cup', 404],
    ['product-stats/windows/lid', 400],
    ['product-hours/windows/lid?from=2011-02-30', 400],
    ['product-hours/windows/lid?from=2011-02-30T00:00Z', 400],
    ['product-hours/windows/lid?from=2011-02-02&to=2011-02-01', 400],
  ] as const) {
    expect([path, (await get(`/v1/stores/${path}`)).status]).toEqual([path, status]);
  }
});

test('a user who is deleted was never there: for figures, look-ups and the log, also after a restart', async () => {
  system = await start(2);
  await post([...baskets('cup', 'saucer'), { ...baskets('cup', 'spoon')[1], userId: 'user-1', sessionId: 'basket-1' }]);
  await system.host.request<'caughtUp'>({ kind: 'caughtUp' });
  const remove = async (id: string): Promise<unknown> => {
    const answer = await fetch(`${system.server.url}/v1/users/${id}`, { method: 'DELETE' });
    return [answer.status, await answer.json()];
  };
  expect(await remove('user-1')).toEqual([200, { id: 'user-1', events: 3, deadLetters: 0 }]);
  expect(await remove('user-1')).toEqual([200, { id: 'user-1', events: 0, deadLetters: 0 }]);

  for (const restarts of [false, true]) {
    if (restarts) {
      await stop();
      system = await start(2);
    }
    expect((await get('/v1/users/user-1/profile')).status).toBe(404);
    expect((await get('/v1/products/spoon')).status).toBe(404);
    expect((await get<object>('/v1/products/cup')).body).toMatchObject({ purchases: 2 });
    // Two sessions are left, and three are wanted.
    const { body } = await get<List>('/v1/products/cup/bought-together');
    expect(body.items).toEqual([]);
  }
});

test('the catalogue over HTTP: versions are taken, set and deactivated, and answers follow', async () => {
  system = await start(2);
  const send = async (method: string, path: string, body?: string, type = 'application/json') => {
    const answer = await fetch(`${system.server.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
    });
    return [answer.status, (await answer.json()) as object] as const;
  };
  const caughtUp = () => system.host.request<'caughtUp'>({ kind: 'caughtUp' });
  const lines = [
    JSON.stringify({ id: 'cup', title: 'Cup', category: 'kitchen', price: 20_000, updatedAt: 1000 }),
    '{torn',
    JSON.stringify({ id: 'pot', price: 'dear' }),
    JSON.stringify({ id: 'pan', colour: 'red' }),
  ].join('\n');
  const [status, taken] = await send('POST', '/v1/products', lines, 'application/x-ndjson');
  expect(status).toBe(200);
  expect(taken).toMatchObject({ accepted: 1, duplicates: 0, rejected: [{ index: 1 }, { index: 2 }, { index: 3 }] });
  await caughtUp();
  expect((await get('/v1/products/cup')).body).toMatchObject({
    ...{ id: 'cup', title: 'Cup', category: 'kitchen', price: 20_000, active: true, updatedAt: 1000 },
    ...{ views: 0, purchases: 0, users: 0, firstSeenMs: null },
  });

  // What events say of a title is for products that the catalogue does not name.
  await post([...baskets('cup', 'saucer')]);
  expect((await send('PUT', '/v1/products/cup', JSON.stringify({ title: 'Blue cup', price: 30_000 })))[0]).toBe(200);
  await caughtUp();
  expect((await get('/v1/products/cup')).body).toMatchObject({
    title: 'Blue cup',
    category: null,
    price: 30_000,
    purchases: 3,
  });
  expect((await get('/v1/products/saucer')).body).toMatchObject({ title: 'The saucer', updatedAt: null, active: true });

  const similarIds = async () => (await get<List>('/v1/products/saucer/similar')).body.items.map(({ id }) => id);
  const recommendedIds = async () =>
    (await get<List>('/v1/users/nobody/recommendations')).body.items.map(({ id }) => id);
  await vi.waitFor(async () => expect(await similarIds()).toEqual(['cup']));
  await vi.waitFor(async () => expect((await recommendedIds()).toSorted()).toEqual(['cup', 'saucer']));
  expect(
    (await send('PUT', '/v1/products/cup', JSON.stringify({ title: 'Blue cup', price: 30_000, active: false })))[0],
  ).toBe(200);
  await vi.waitFor(async () => expect(await similarIds()).toEqual([]));
  expect(await recommendedIds()).toEqual(['saucer']);
  expect((await send('PUT', '/v1/products/cup', JSON.stringify({ title: 'Blue cup', price: 30_000 })))[0]).toBe(200);
  await vi.waitFor(async () => expect(await similarIds()).toEqual(['cup']));
  // After a restart an inactive product has to be known from the start.
  expect((await send('DELETE', '/v1/products/cup'))[0]).toBe(200);
  await caughtUp();
  await stop();
  system = await start();
  await vi.waitFor(async () => expect(await recommendedIds()).toEqual(['saucer']));
  expect(await similarIds()).toEqual([]);
  expect((await send('DELETE', '/v1/products/saucer'))[0]).toBe(200);
  await caughtUp();
  expect((await get('/v1/products/cup')).body).toMatchObject({ title: 'Blue cup', price: 30_000, active: false });
  expect((await get('/v1/products/saucer')).body).toMatchObject({ active: false, purchases: 3 });

  expect(await send('DELETE', '/v1/products/nothing')).toMatchObject([404, { error: { code: 'NOT_FOUND' } }]);
  const other = await send('PUT', '/v1/products/cup', JSON.stringify({ id: 'pot' }));
  expect(other).toMatchObject([400, { error: { message: expect.stringContaining('\'cup\', found "pot"') as string } }]);
  const stars = await send('PUT', '/v1/products/cup', JSON.stringify({ stars: 501 }));
  expect(stars).toMatchObject([400, { error: { message: expect.stringContaining('1..500') as string } }]);
  const metrics = await (await fetch(`${system.server.url}/metrics`)).text();
  expect(metrics).toContain('millrace_ingest_products_total{outcome="accepted"} 1');
  expect(metrics).toContain('millrace_ingest_products_rejected_total{rule="stars"} 1');
});

test('categories: trends, figures under the category of the time, and the funnel', async () => {
  system = await start(3);
  const day = Date.UTC(2011, 0, 3);
  const hour = 3_600_000;
  const versions = [
    { id: 'cup', title: 'Cup', category: 'kitchen', price: 20_000, updatedAt: day },
    { id: 'cup', title: 'Cup', category: 'gifts', price: 20_000, updatedAt: day + 12 * hour },
    { id: 'pot', title: 'Pot', category: 'kitchen', updatedAt: day },
    { id: 'pan', category: 'kitchen/iron', active: false, updatedAt: day },
  ];
  const event = (productId: string, type: string, userId: string, atHour: number) => ({
    ...{ productId, type, userId, timestamp: day + atHour * hour, price: 5000 },
  });
  await post([
    ...[event('cup', 'view', 'ann', 1), event('cup', 'cart', 'ann', 1.1), event('cup', 'purchase', 'ann', 1.2)],
    ...[event('cup', 'view', 'bob', 13), event('pot', 'view', 'cid', 14), event('pot', 'cart', 'cid', 14.1)],
    ...[event('pan', 'purchase', 'cid', 14.2), event('pot', 'view', 'dan', 20)],
  ]);
  // The catalogue comes behind the events that it is about.
  const body = versions.map((version) => JSON.stringify(version)).join('\n');
  const headers = { 'content-type': 'application/x-ndjson' };
  await fetch(`${system.server.url}/v1/products`, { method: 'POST', headers, body });
  await system.host.request<'caughtUp'>({ kind: 'caughtUp' });

  const trending = await get<{ items: readonly { id: string; title: string; price: number; score: number }[] }>(
    '/v1/trending',
  );
  expect(trending.body.items.map(({ id }) => id)).toEqual(['pot', 'cup'].toSorted(byScore(trending.body.items)));
  expect(trending.body.items.find(({ id }) => id === 'cup')).toMatchObject({ title: 'Cup', price: 20_000 });
  expect((await get('/v1/trending?category=kitchen&limit=1')).body).toMatchObject({
    category: 'kitchen',
    items: [{ id: 'pot' }],
  });
  expect((await get('/v1/trending?category=kitchen%2Firon')).body).toMatchObject({ items: [] });
  expect((await get('/v1/trending?category=none')).status).toBe(404);

  const { body: categories } = await get<{ categories: object[] }>('/v1/categories');
  expect(categories.categories).toEqual([
    { id: 'gifts', products: 1, active: 1 },
    { id: 'kitchen', products: 1, active: 1 },
    { id: 'kitchen/iron', products: 1, active: 0 },
  ]);

  expect((await get('/v1/categories/kitchen/stats')).body).toMatchObject({
    ...{ id: 'kitchen', from: '2011-01-03', to: '2011-01-04' },
    periods: [{ start: '2011-01-03', views: 3, carts: 2, purchases: 1, revenue: 5000 }],
    funnel: {
      ...{ windows: 3, viewed: 3, carted: 2, purchased: 1, viewedAndCarted: 2, viewedCartedAndPurchased: 1 },
      ...{ viewToCart: 2 / 3, cartToPurchase: 1 / 2, days: [{ start: '2011-01-03', windows: 3 }] },
    },
  });
  expect((await get('/v1/categories/gifts/stats?window=hour')).body).toMatchObject({
    periods: [{ start: '2011-01-03T13:00Z', views: 1 }],
    funnel: { windows: 1, viewed: 1, viewToCart: 0, cartToPurchase: null },
  });
  expect((await get('/v1/categories/none/stats')).status).toBe(404);
});

function byScore(items: readonly { readonly id: string; readonly score: number }[]) {
  const scoreOf = (id: string) => items.find((item) => item.id === id)?.score ?? 0;
  return (a: string, b: string) => scoreOf(b) - scoreOf(a);
}
