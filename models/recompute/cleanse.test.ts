import { expect, test } from 'vitest';
import { duplicatesOf } from './cleanse.ts';
import { event } from './history.testing.ts';
import { recomputeLog } from './recompute.ts';

const hour = 3_600_000;

test('an event is a duplicate of an accepted one within the horizon, on either side, and of no other', () => {
  expect(duplicatesOf([0, 24 * hour])).toEqual([false, true]);
  expect(duplicatesOf([0, 24 * hour + 1])).toEqual([false, false]);
  expect(duplicatesOf([30 * hour, 7 * hour])).toEqual([false, true]);
  // 20 h is dropped for 0 h; 40 h is too far from 0 h, and what was dropped does not count.
  expect(duplicatesOf([0, 20 * hour, 40 * hour])).toEqual([false, true, false]);
});

test('the first of two events with one id stays, in log order; the same id in another session, or of another user, is another event', async () => {
  const state = await recomputeLog([
    event({ eventId: 'same', quantity: 3, timestamp: hour }, 0),
    event({ eventId: 'same', quantity: 5, timestamp: 0 }, 0),
    event({ eventId: 'same', sessionId: 't', productId: 'B', quantity: 7, timestamp: 0 }, 1),
    event({ eventId: 'same', sessionId: 't', userId: 'u', productId: 'B', quantity: 1, timestamp: 0 }, 1),
  ]);
  expect(state.counts).toEqual({ read: 4, invalid: 0, duplicates: 1, accepted: 3 });
  expect(state.productStats.get('A')).toMatchObject({ purchases: 1, quantity: 3n });
  expect(state.productStats.get('B')).toMatchObject({ purchases: 2, quantity: 8n });
});

test('what is no interaction is counted and left out, whatever the clock says', async () => {
  const state = await recomputeLog([
    { partition: 0, value: null },
    event({ quantity: 0 }),
    event({ productId: 'far', timestamp: 9_000_000_000_000 }),
  ]);
  expect(state.counts).toEqual({ read: 3, invalid: 2, duplicates: 0, accepted: 1 });
  expect([...state.productStats.keys()]).toEqual(['far']);
});
