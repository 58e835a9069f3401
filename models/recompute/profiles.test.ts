import { expect, test } from 'vitest';
import { event } from './history.testing.ts';
import { recomputeLog } from './recompute.ts';

test('a profile counts all events of a named user, service too', async () => {
  const { userProfiles } = await recomputeLog([
    event({ userId: 'u', quantity: 3, price: 10, timestamp: 5 }),
    event({ userId: 'u', quantity: 1, price: 4, timestamp: 6, service: true, sessionId: 'x' }),
    event({ userId: 'u', quantity: 1, price: 10, timestamp: 2, type: 'return' }),
    event({ userId: 'u', type: 'rating', timestamp: 9, productId: 'B' }),
    event({ sessionId: 'anonymous' }),
  ]);
  expect([...userProfiles.values()]).toEqual([
    {
      ...{ userId: 'u', views: 0, carts: 0, purchases: 2, returns: 1, quantity: 3n, spend: 24n },
      ...{ firstSeenMs: 2, lastSeenMs: 9 },
      recent: [
        { productId: 'B', timestamp: 9, eventId: expect.any(String) },
        { productId: 'A', timestamp: 5, eventId: expect.any(String) },
      ],
    },
  ]);
});

test('recent holds each product once with its latest event, newest first, ties by the greater event id', async () => {
  const { userProfiles } = await recomputeLog([
    event({ userId: 'u', productId: 'A', timestamp: 7, eventId: 'a' }),
    event({ userId: 'u', productId: 'B', timestamp: 7, eventId: 'b' }),
    event({ userId: 'u', productId: 'A', timestamp: 7, eventId: 'c' }),
    event({ userId: 'u', productId: 'B', timestamp: 1, eventId: 'z' }),
  ]);
  expect(userProfiles.get('u')?.recent).toEqual([
    { productId: 'A', timestamp: 7, eventId: 'c' },
    { productId: 'B', timestamp: 7, eventId: 'b' },
  ]);
});

test('recent ends with the 20th product, within a timestamp too', async () => {
  const products = Array.from({ length: 30 }, (_, at) => String(at + 10));
  const { userProfiles } = await recomputeLog([
    ...products.map((at) => event({ userId: 'apart', productId: at, timestamp: Number(at) })),
    ...products.map((at) => event({ userId: 'tied', productId: at, eventId: at, timestamp: 5 })),
  ]);
  for (const userId of ['apart', 'tied']) {
    const recent = userProfiles.get(userId)!.recent.map(({ productId }) => productId);
    expect(recent).toEqual(products.slice(10).toReversed());
  }
});
