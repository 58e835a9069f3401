import { expect, test } from 'vitest';
import { verdictsOf } from './catalogue.ts';
import { categoryHourKey, memberKey } from './categories.ts';
import { event, version } from './history.testing.ts';
import { recomputeLog } from './recompute.ts';
import { funnelKey, windowKey } from './windows.ts';

const hour = 3_600_000;
const minute = 60_000;

test('a version that says the same moves nothing, so one from before it may still be accepted', () => {
  const versions = [
    { updatedAt: 5, said: 'a' },
    { updatedAt: 9, said: 'a' },
    { updatedAt: 7, said: 'b' },
    { updatedAt: 6, said: 'c' },
  ];
  expect(verdictsOf(versions)).toEqual(['accepted', 'same', 'accepted', 'late']);
});

test('versions are counted by what became of them, and of those of one time the last holds', async () => {
  const { catalogue } = await recomputeLog([], {
    versions: [
      version({ id: 'A', category: 'Home', updatedAt: 10 }),
      version({ id: 'A', category: 'Toys', updatedAt: 20 }),
      version({ id: 'A', category: 'Home', updatedAt: 20 }),
      version({ id: 'A', category: 'Home', updatedAt: 30 }),
      version({ id: 'A', category: 'Late', updatedAt: 19 }),
      version({ id: 'A', category: null, updatedAt: 40 }),
      { key: 'B', value: version({ id: 'A' }).value },
      { key: 'B', value: null },
    ],
  });
  expect(catalogue.counts).toEqual({ accepted: 4, same: 1, late: 1, invalid: 2 });
  expect(catalogue.categories.get('A')).toEqual([
    { fromMs: 10, category: 'Home' },
    { fromMs: 40, category: null },
  ]);
  expect(catalogue.products.get('A')).toMatchObject({ updatedAt: 40, category: null, active: true });
});

test('an hour counts in the category that held when it began, before the first version in the first', async () => {
  const versions = [
    version({ id: 'A', category: 'Home', updatedAt: 5 * hour }),
    version({ id: 'A', category: 'Toys', updatedAt: 6 * hour + 1 }),
  ];
  const at = [1, 6 * hour, 6 * hour + 2, 7 * hour];
  const { categoryHours } = await recomputeLog(
    at.map((timestamp) => event({ timestamp, quantity: 2, price: 3 })),
    { versions },
  );
  const counts = { views: 0, carts: 0, returns: 0 };
  expect(categoryHours.size).toBe(3);
  expect(categoryHours.get(categoryHourKey('Home', 0))).toMatchObject({ ...counts, purchases: 1, revenue: 6n });
  expect(categoryHours.get(categoryHourKey('Home', 6))).toMatchObject({ ...counts, purchases: 2, revenue: 12n });
  expect(categoryHours.get(categoryHourKey('Toys', 7))).toMatchObject({ ...counts, purchases: 1, revenue: 6n });
});

test('a product stands in its current category and, when it has had an event, in the shop', async () => {
  const versions = [version({ id: 'A', category: 'Home' }), version({ id: 'new', category: 'Home', active: false })];
  const { categories } = await recomputeLog([event({ productId: 'A' }), event({ productId: 'B' })], { versions });
  expect([...categories.products.keys()].toSorted()).toEqual(
    [memberKey('', 'A'), memberKey('', 'B'), memberKey('Home', 'A'), memberKey('Home', 'new')].toSorted(),
  );
  expect(categories.tops.get('Home')).toMatchObject({ products: 2, active: 1 });
  expect(categories.tops.get('')).toMatchObject({ products: 2, active: 2 });
});

test('what rose lately trends before what was always bought; inactive and service products do not', async () => {
  const day = 24 * hour;
  const buy = (productId: string, times: number, timestamp: number, service = false) =>
    Array.from({ length: times }, () => event({ productId, timestamp, service }));
  const state = await recomputeLog(
    [
      ...buy('steady', 40, 0),
      ...buy('steady', 4, 30 * day),
      ...buy('new', 4, 30 * day),
      ...buy('gone', 9, 30 * day),
      ...buy('post', 9, 30 * day, true),
    ],
    { versions: [version({ id: 'gone', active: false })] },
  );
  const slow = 200 * 2 ** (-30 / 14) + 20;
  expect(state.trending('').top(9)).toEqual([
    { id: 'new', score: expect.closeTo(20 / (20 + 20), 12) as number },
    { id: 'steady', score: expect.closeTo((20 + 200 * 2 ** -30) / (slow + 20), 12) as number },
  ]);
  expect(state.bestSellers().top(9)).toEqual([
    { id: 'steady', score: 44 },
    { id: 'new', score: 4 },
  ]);
});

test('a late event makes one window of two, and the latest user names it', async () => {
  const at = (timestamp: number, fields: Parameters<typeof event>[0]) =>
    event({ sessionId: 's', timestamp, ...fields });
  const { sessionWindows } = await recomputeLog([
    at(0, { productId: 'A', type: 'view' }),
    at(60 * minute, { productId: 'A', quantity: 2, price: 10, userId: 'u', sessionId: 's' }),
    at(90 * minute + 1, { productId: 'B', type: 'cart' }),
    at(30 * minute, { productId: 'A', type: 'favorite' }),
    at(45 * minute, { productId: 'post', service: true }),
  ]);
  expect([...sessionWindows.values()]).toEqual([
    {
      ...{
        sessionKey: 's:s',
        startMs: 0,
        endMs: 60 * minute,
        userId: 'u',
        views: 1,
        carts: 0,
        purchases: 1,
        returns: 0,
      },
      ...{ quantity: 2n, revenue: 20n, products: 'A 0 1\nA 1 4' },
    },
    expect.objectContaining({ startMs: 90 * minute + 1, products: 'B 1 2' }),
  ]);
  expect(sessionWindows.has(windowKey('s:s', 0))).toBe(true);
});

test('a window counts once in each of its categories, by all that was done there, on the day it began', async () => {
  const versions = [
    version({ id: 'A', category: 'Home' }),
    version({ id: 'B', category: 'Home' }),
    version({ id: 'C', category: 'Toys' }),
  ];
  const late = 24 * hour - minute;
  const { categoryFunnels } = await recomputeLog(
    [
      event({ sessionId: 's', productId: 'A', type: 'view', timestamp: late }),
      event({ sessionId: 's', productId: 'B', type: 'cart', timestamp: late + 2 * minute }),
      event({ sessionId: 's', productId: 'C', type: 'view', timestamp: late + 2 * minute }),
      event({ sessionId: 't', productId: 'A', type: 'view', timestamp: late }),
    ],
    { versions },
  );
  expect(categoryFunnels).toEqual(
    new Map([
      [funnelKey('Home', 0), { category: 'Home', day: 0, windows: [1, 0, 1, 0, 0, 0, 0] }],
      [funnelKey('Toys', 0), { category: 'Toys', day: 0, windows: [1, 0, 0, 0, 0, 0, 0] }],
    ]),
  );
});

test('interest in categories: a purchase weighs five views, and half of it is left after 30 days', async () => {
  const versions = [version({ id: 'A', category: 'Home' }), version({ id: 'B', category: 'Toys' })];
  const state = await recomputeLog(
    [
      event({ userId: 'u', productId: 'A', timestamp: 0 }),
      event({ userId: 'u', productId: 'B', type: 'view', timestamp: 30 * 24 * hour }),
      event({ userId: 'u', productId: 'none', timestamp: 0 }),
      event({ userId: 'u', productId: 'A', service: true, timestamp: 0 }),
    ],
    { versions },
  );
  expect(state.userProducts.get('u')).toHaveLength(3);
  expect(state.categoryAffinity('u').top(10)).toEqual([
    { id: 'Home', score: expect.closeTo(2.5 / 3.5, 12) as number },
    { id: 'Toys', score: expect.closeTo(1 / 3.5, 12) as number },
  ]);
  expect(state.categoryAffinity('nobody').top(10)).toEqual([]);
});
