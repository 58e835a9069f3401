import { type Difference, shown } from './comparison.ts';
import { recentMax } from './profiles.ts';
import type { RecentProduct } from './rows.ts';
import { sameInteger } from './same.ts';

/**
 * A profile's recent products. With known event ids: the first 20 of the pool, in order.
 *
 * Without: all lines of an invoice share a timestamp, so a hash that only the other side knows decides which of them
 * are the last of the twenty. Then the list must have the timestamps of the first 20, place by place, and at each
 * place a product of the pool that has this timestamp, none twice. Whatever is newer than the last tie is thereby in it.
 */
export function differentRecent(
  pool: readonly RecentProduct[],
  actual: readonly RecentProduct[],
  eventIdsKnown: boolean,
): Omit<Difference, 'key'> | null {
  const wanted = pool.slice(0, recentMax);
  const latest = new Map(pool.map(({ productId, timestamp }) => [productId, timestamp]));
  const same =
    wanted.length === actual.length &&
    wanted.every((expected, at) => {
      const found = actual[at]!;
      if (!sameInteger(expected.timestamp, found.timestamp)) return false;
      if (eventIdsKnown) {
        const sameEvent = found.eventId === undefined || found.eventId === expected.eventId;
        return found.productId === expected.productId && sameEvent;
      }
      const own = latest.get(found.productId);
      latest.delete(found.productId);
      return own !== undefined && sameInteger(own, found.timestamp);
    });
  return same ? null : { expected: shown({ recent: wanted }), actual: shown({ recent: actual }) };
}
