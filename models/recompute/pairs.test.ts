import { expect, test } from 'vitest';
import { bought, event, viewed } from './history.testing.ts';
import { marginalKey } from './marginals.ts';
import { weightsAt } from './pairs.ts';
import { recomputeLog, type Recomputation } from './recompute.ts';
import { relations } from './rows.ts';

const minute = 60_000;

function pairRows({ pairs }: Recomputation): string[] {
  return relations.flatMap((relation) =>
    pairs.items.flatMap((item) =>
      [...pairs.rows(relation, item)].map((row) => `${relation} ${item}${row.neighbour} ${row.weight} ${row.count}`),
    ),
  );
}

test('weights fall with the square root of the distance, and are integers', () => {
  const weights = Array.from({ length: 10 }, (_, at) => weightsAt(at + 1));
  expect(weights.map(({ forward }) => forward)).toEqual([1024, 724, 591, 512, 458, 418, 387, 362, 341, 324]);
  expect(weights.map(({ back }) => back)).toEqual([768, 543, 443, 384, 343, 314, 290, 272, 256, 243]);
});

test('each item pairs with those before it, forward and back', async () => {
  expect(pairRows(await recomputeLog(bought('s', 'ABC')))).toEqual([
    'bought AB 1024 1',
    'bought AC 724 1',
    'bought BA 768 1',
    'bought BC 1024 1',
    'bought CA 543 1',
    'bought CB 768 1',
  ]);
});

test('a directed pair counts with its largest weight in a session, and sessions add up', async () => {
  // A B A: A→B 1024 from the first step; B→A 768, raised to 1024 by the second. The other session adds 543 and 724.
  const state = await recomputeLog([...bought('s', 'ABA'), ...bought('t', 'BCA')]);
  expect(pairRows(state).filter((row) => row.includes('AB') || row.includes('BA'))).toEqual([
    `bought AB ${1024 + 543} 2`,
    `bought BA ${1024 + 724} 2`,
  ]);
});

test('an item pairs ten back and no further', async () => {
  const { pairs } = await recomputeLog(bought('s', 'ABCDEFGHIJKL'));
  expect(pairs.find('bought', 'A', 'L')).toBe(-1);
  const row = pairs.find('bought', 'B', 'L');
  expect([pairs.weightAt(row), pairs.countAt(row)]).toEqual([324, 1]);
});

test('relations keep to themselves, in distance too', async () => {
  const state = await recomputeLog([
    ...viewed('s', 'A'),
    ...bought('s', 'B'),
    event({ productId: 'X', type: 'cart' }),
    event({ productId: 'Y', service: true }),
    event({ productId: 'Z', type: 'cart' }),
    ...viewed('s', 'C'),
    ...bought('s', 'D'),
  ]);
  expect(pairRows(state)).toEqual([
    ...[
      'viewed AC 1024 1',
      'viewed CA 768 1',
      'bought BD 1024 1',
      'bought DB 768 1',
      'cart XZ 1024 1',
      'cart ZX 768 1',
    ],
    ...['viewed-bought AB 1024 1', 'viewed-bought AD 724 1', 'viewed-bought CD 1024 1'],
  ]);
  expect([...state.marginals.keys()].toSorted()).toEqual([
    ...['bought B', 'bought D', 'cart X', 'cart Z', 'viewed A', 'viewed C'],
  ]);
});

test('views lead to the first purchase of an item, forward only, over ten places of views', async () => {
  const state = await recomputeLog([
    ...viewed('s', 'AZBCDEFGHIJB'),
    ...bought('s', 'Z'),
    ...viewed('s', 'K'),
    ...bought('s', 'ZZ'),
    ...[...viewed('t', 'AA'), ...bought('t', 'Z')],
  ]);
  const rows = pairRows(state).filter((row) => row.startsWith('viewed-bought'));
  // In s: B counts where it was viewed last, A lies 12 places back. K came after the first purchase.
  expect(rows).toEqual([
    'viewed-bought AZ 1024 1',
    'viewed-bought BZ 1024 1',
    ...['C 341', 'D 362', 'E 387', 'F 418', 'G 458', 'H 512', 'I 591', 'J 724'].map(
      (of) => `viewed-bought ${of.replace(' ', 'Z ')} 1`,
    ),
  ]);
});

test('without a session id a session ends after more than 30 minutes beyond its greatest timestamp', async () => {
  const at = (productId: string, minutes: number, more = 0) =>
    event({ userId: 'u', productId, timestamp: minutes * minute + more });
  const state = await recomputeLog([
    ...[at('A', 0), at('B', 30), at('C', 60, 1)],
    // Late, but not later than the session: it stays, and does not move its end back.
    ...[at('D', 40), at('E', 90, 1)],
  ]);
  expect(pairRows(state)).toEqual([
    ...['bought AB 1024 1', 'bought BA 768 1'],
    ...[
      'bought CD 1024 1',
      'bought CE 724 1',
      'bought DC 768 1',
      'bought DE 1024 1',
      'bought EC 543 1',
      'bought ED 768 1',
    ],
  ]);
  expect(state.pairTotals.get('bought')?.sessions).toBe(2);
});

test('a named session never ends, and is not the user of the same name', async () => {
  const state = await recomputeLog([
    event({ sessionId: 'u', productId: 'A' }),
    event({ userId: 'u', productId: 'X' }),
    event({ sessionId: 'u', productId: 'B', timestamp: 1_000 * minute }),
  ]);
  expect(pairRows(state)).toEqual(['bought AB 1024 1', 'bought BA 768 1']);
});

test('events after the 200th of a session change nothing', async () => {
  const items = Array.from({ length: 99 }, (_, at) => `i${at}`);
  const first = [...viewed('s', items), ...viewed('s', items), ...bought('s', ['A', 'B'])];
  const before = await recomputeLog(first);
  const after = await recomputeLog([...first, ...bought('s', ['C', 'A']), ...viewed('s', ['i5'])]);
  expect(pairRows(after)).toEqual(pairRows(before));
  expect(after.marginals).toEqual(before.marginals);
  expect(after.pairTotals).toEqual(before.pairTotals);
  expect(after.productStats.get('C')?.purchases).toBe(1);
});

test('events after the 200th still keep an unnamed session open', async () => {
  const many = Array.from({ length: 200 }, () => event({ userId: 'u', productId: 'A' }));
  const state = await recomputeLog([
    ...many,
    event({ userId: 'u', productId: 'B', timestamp: 20 * minute }),
    event({ userId: 'u', productId: 'C', timestamp: 40 * minute }),
  ]);
  expect(state.pairTotals.get('bought')?.sessions).toBe(1);
  expect(state.marginals.has(marginalKey('bought', 'C'))).toBe(false);
});

test('an item counts once in a session it stands in several times', async () => {
  const { marginals } = await recomputeLog([...bought('s', 'AAB'), ...bought('t', 'A'), ...viewed('t', 'A')]);
  expect(marginals.get(marginalKey('bought', 'A'))?.sessions).toBe(2);
  expect(marginals.get(marginalKey('bought', 'B'))?.sessions).toBe(1);
  expect(marginals.get(marginalKey('viewed', 'A'))?.sessions).toBe(1);
});

test('a reminder is counted at the place of the item among the distinct ones, newest first', async () => {
  // Before B: [A]. Before A: [B, A], A is at 2. Before A: [A, B], A is at 1.
  const { pairTotals } = await recomputeLog(bought('s', 'ABAA'));
  const zeros = [0, 0, 0, 0, 0, 0, 0, 0];
  expect(pairTotals.get('bought')).toEqual({
    ...{ relation: 'bought', sessions: 1 },
    ...{ rep: [1, 1, ...zeros], repN: [3, 2, ...zeros] },
  });
});

test('a reminder beyond the tenth place is none', async () => {
  const { pairTotals } = await recomputeLog(bought('s', 'ABCDEFGHIJKA'));
  expect(pairTotals.get('bought')?.rep).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(pairTotals.get('bought')?.repN).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
});
