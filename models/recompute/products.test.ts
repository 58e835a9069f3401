import { expect, test } from 'vitest';
import { event } from './history.testing.ts';
import { registerOf } from './product-users.ts';
import { hourKey } from './products.ts';
import { recomputeLog } from './recompute.ts';

const hour = 3_600_000;

test('a purchase adds pieces and money, a return takes both away and leaves the purchases', async () => {
  const { productStats } = await recomputeLog([
    event({ quantity: 6, price: 25_500, timestamp: 500 }),
    event({ quantity: 2, price: 25_500, timestamp: 100, type: 'return', service: true }),
    event({ type: 'view', timestamp: 900 }),
    event({ type: 'favorite', timestamp: 300 }),
  ]);
  expect(productStats.get('A')).toEqual({
    ...{ productId: 'A', views: 1, carts: 0, purchases: 1, returns: 1, favorites: 1, removes: 0, ratings: 0 },
    ...{ quantity: 4n, revenue: 102_000n, firstSeenMs: 100, lastSeenMs: 900, service: true },
    trend: {
      refMs: 900,
      fast: expect.closeTo(1 + 5 * 2 ** (-400 / 86_400_000), 12) as number,
      slow: expect.closeTo(1 + 5 * 2 ** (-400 / (14 * 86_400_000)), 12) as number,
    },
  });
});

test('money beyond what a double holds stays exact', async () => {
  const { productStats } = await recomputeLog([...[1, 2, 3].map(() => event({ price: 2 ** 52 })), event({ price: 1 })]);
  expect(productStats.get('A')?.revenue).toBe(13_510_798_882_111_489n);
});

test('an hour begins on the hour, UTC', async () => {
  const { productHours } = await recomputeLog([
    event({ timestamp: hour - 1, quantity: 2, price: 10 }),
    event({ timestamp: hour, type: 'view' }),
    event({ timestamp: hour + 5, type: 'return', quantity: 3, price: 7 }),
  ]);
  const zeros = { views: 0, carts: 0, purchases: 0, returns: 0 };
  expect([...productHours.values()]).toHaveLength(2);
  expect(productHours.get(hourKey('A', 0))).toMatchObject({ ...zeros, purchases: 1, quantity: 2n, revenue: 20n });
  expect(productHours.get(hourKey('A', 1))).toMatchObject({
    ...zeros,
    views: 1,
    returns: 1,
    quantity: -3n,
    revenue: -21n,
  });
});

test('the title is the most frequent, then the one that came first, then the one with the least event id', async () => {
  const { productTitles } = await recomputeLog([
    event({ productId: 'often', title: 'old', timestamp: 1 }),
    event({ productId: 'often', title: 'new', timestamp: 2, type: 'return' }),
    event({ productId: 'often', title: 'new', timestamp: 3 }),
    event({ productId: 'first', title: 'late', timestamp: 9 }),
    event({ productId: 'first', title: 'early', timestamp: 8 }),
    event({ productId: 'id', title: 'b', timestamp: 5, eventId: '2' }),
    event({ productId: 'id', title: 'a', timestamp: 5, eventId: '10' }),
    event({ productId: 'none' }),
  ]);
  expect(new Map([...productTitles].map(([productId, { title }]) => [productId, title]))).toEqual(
    new Map([
      ['often', 'new'],
      ['first', 'early'],
      ['id', 'a'],
    ]),
  );
  expect(productTitles.get('often')?.titles).toEqual([
    { title: 'new', count: 2, firstSeenMs: 2 },
    { title: 'old', count: 1, firstSeenMs: 1 },
  ]);
});

test('event ids are ordered by code units, not by code points', async () => {
  // U+1F600 begins with the unit D83D and so comes before U+FF01; by code point it comes after.
  const { productTitles } = await recomputeLog([
    event({ title: 'full width', eventId: '\uff01' }),
    event({ title: 'smile', eventId: '\u{1f600}' }),
  ]);
  expect(productTitles.get('A')?.title).toBe('smile');
});

test('a register keeps the greatest rank of its users; returns and anonymous events set none', async () => {
  const { productUsers } = await recomputeLog([
    event({ userId: 'test', type: 'view' }),
    event({ userId: 'test', type: 'cart', service: true }),
    event({ userId: 'other', type: 'return' }),
    event({ sessionId: 'anonymous' }),
    event({ productId: 'B', sessionId: 'anonymous' }),
  ]);
  // murmur3('test') = ba6bd213 with seed 0: register ba6; 704b81dc with 9747b28c: one leading zero.
  expect(registerOf('test')).toEqual({ register: 0xba6, rank: 2 });
  expect([...productUsers]).toEqual([['A', [0xba6 * 64 + 2]]]);
});
