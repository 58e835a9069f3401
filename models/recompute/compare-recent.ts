import { type Difference, shown } from './comparison.ts';
import type { RecentProduct } from './rows.ts';
import { sameInteger } from './same.ts';

/** A profile's recent products, place by place: nothing in their order is left open. */
export function differentRecent(
  expected: readonly RecentProduct[],
  actual: readonly RecentProduct[],
): Omit<Difference, 'key'> | null {
  for (let at = 0; at < Math.max(expected.length, actual.length); at++) {
    const [wanted, found] = [expected[at], actual[at]];
    if (wanted !== undefined && found !== undefined && sameRecent(wanted, found)) continue;
    return { expected: `recent ${at + 1}: ${shown(wanted)}`, actual: `recent ${at + 1}: ${shown(found)}` };
  }
  return null;
}

function sameRecent(expected: RecentProduct, actual: RecentProduct): boolean {
  const sameEvent = actual.eventId === undefined || actual.eventId === expected.eventId;
  return expected.productId === actual.productId && sameInteger(expected.timestamp, actual.timestamp) && sameEvent;
}
