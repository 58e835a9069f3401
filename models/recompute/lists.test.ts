import { expect, test } from 'vitest';
import { bought, event, viewed } from './history.testing.ts';
import { recomputeLog } from './recompute.ts';

test('similar items are scored by weight, damped by how common both are', async () => {
  const state = await recomputeLog([
    ...bought('1', 'AB'),
    ...bought('2', 'AB'),
    ...bought('3', 'AC'),
    ...bought('4', 'D'),
  ]);
  // n_A = 3, n_B = 2, n_C = 1, N = 4: 2 / (23^.75 · 22^.15) · (1 + ln(4/2)/2) and 1 / (23^.75 · 21^.15) · (1 + ln(4)/2).
  expect(state.list('similar', 'A').top(20)).toEqual([
    { id: 'B', score: expect.closeTo(0.16128753670921572, 12) },
    { id: 'C', score: expect.closeTo(0.10210945084862363, 12) },
  ]);
  expect(state.list('similar', 'D').top(20)).toEqual([]);
  expect(state.list('similar', 'nobody').top(20)).toEqual([]);
});

test('bought together wants three sessions, and equal scores stand by id', async () => {
  const state = await recomputeLog([
    ...['1', '2', '3'].flatMap((session) => bought(session, 'ACB')),
    ...['4', '5'].flatMap((session) => bought(session, 'DE')),
  ]);
  expect(state.list('bought-together', 'A').top(20)).toEqual([
    { id: 'B', score: expect.closeTo(3 / 23, 12) },
    { id: 'C', score: expect.closeTo(3 / 23, 12) },
  ]);
  expect(state.list('bought-together', 'D').top(20)).toEqual([]);
});

test('the strongest relation answers: a purchase weighs five views, ties go to bought', async () => {
  const views = (sessions: number) => Array.from({ length: sessions }, (_, at) => viewed(`view ${at}`, 'AV')).flat();
  const source = async (sessions: number) => {
    const state = await recomputeLog([...bought('b', 'AB'), ...views(sessions)]);
    return state
      .list('similar', 'A')
      .top(20)
      .map(({ id }) => id);
  };
  expect(await source(5)).toEqual(['B']);
  expect(await source(6)).toEqual(['V']);
});

test('a product that became a service is in no list, though its pairs stay', async () => {
  const state = await recomputeLog([...bought('1', 'AB'), event({ productId: 'B', service: true, sessionId: '2' })]);
  expect(state.pairs.find('bought', 'A', 'B')).not.toBe(-1);
  expect(state.list('similar', 'A').top(20)).toEqual([]);
  expect(state.bestSellers().top(20)).toEqual([{ id: 'A', score: 1 }]);
});

test('best sellers stand by purchases, then by id in code units', async () => {
  const state = await recomputeLog([...bought('1', ['b', 'B', 'C', 'C']), ...viewed('2', 'V')]);
  expect(state.bestSellers().top(20)).toEqual([
    { id: 'C', score: 2 },
    { id: 'B', score: 1 },
    { id: 'b', score: 1 },
  ]);
});
