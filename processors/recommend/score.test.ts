import { describe, expect, it } from 'vitest';
import { Chunk } from '../packed/chunk.ts';
import { chunkKey } from '../packed/chunk-key.ts';
import { pairRow } from '../pairs/pair-row.ts';
import { emptyPairTotals } from '../pairs/pair-totals.ts';
import type { Relation } from '../pairs/relation.ts';
import { MemoryPairView } from './memory-pair-view.ts';
import { Scorer } from './score.ts';

type Row = readonly [relation: Relation, item: string, neighbours: Readonly<Record<string, readonly [number, number]>>];

interface Shop {
  readonly n: Readonly<Record<string, number>>;
  readonly N: number;
  readonly rows: readonly Row[];
  readonly rep?: readonly number[];
  readonly repN?: readonly number[];
}

/** Indexes are the places of the items in `n`. */
function viewOf({ n, N, rows, rep = [], repN = [] }: Shop): MemoryPairView {
  const view = new MemoryPairView();
  const items = Object.keys(n);
  const code = (relation: Relation) => (relation === 'viewed' ? 0 : 1);
  for (const [number, item] of items.entries()) view.setItem(0, item, number);
  for (const relation of ['viewed', 'bought'] as const) {
    for (const [number, item] of items.entries()) view.setMarginal(0, pairRow(number, code(relation)), n[item]!);
    const totals = emptyPairTotals();
    totals.sessions = N;
    for (const [at, value] of rep.entries()) totals.rep[at + 1] = value;
    for (const [at, value] of repN.entries()) totals.repN[at + 1] = value;
    view.setTotals(0, relation, totals);
  }
  for (const [relation, item, neighbours] of rows) {
    const chunk = Chunk.head();
    for (const [other, [weight, count]] of Object.entries(neighbours)) {
      chunk.append(items.indexOf(other), weight, count);
    }
    view.setChunk(0, chunkKey(pairRow(items.indexOf(item), code(relation)), 0), chunk);
  }
  return view;
}

const named = (view: MemoryPairView, items: readonly { readonly item: number }[]) =>
  items.map(({ item }) => view.id(item));
const similarity = (weight: number, ni: number, nj: number, N: number) =>
  (weight / 1024 / ((ni + 20) ** 0.75 * (nj + 20) ** 0.15)) * (1 + 0.5 * Math.log(N / nj));

describe('scores', () => {
  const shop: Shop = {
    n: { a: 100, b: 50, c: 400, d: 50 },
    N: 1_000,
    rows: [['viewed', 'a', { b: [20_480, 25], c: [30_720, 40], d: [20_480, 25] }]],
  };

  it('similar gives the formula of the page, greatest first, ties by id', () => {
    const view = viewOf(shop);
    const { relation, items } = new Scorer(view).similar(0, { limit: 10 });
    expect(relation).toBe('viewed');
    expect(named(view, items)).toEqual(['b', 'd', 'c']);
    expect(items[0]!.score).toBeCloseTo(similarity(20_480, 100, 50, 1_000), 12);
    expect(items[2]!.score).toBeCloseTo(similarity(30_720, 100, 400, 1_000), 12);
    expect(items.map(({ count, because }) => [count, because])).toEqual([
      [25, 0],
      [25, 0],
      [40, 0],
    ]);
  });

  it('what is not allowed is left out before the cut', () => {
    const view = viewOf(shop);
    const { items } = new Scorer(view).similar(0, { limit: 1, allow: (item) => view.id(item) !== 'b' });
    expect(named(view, items)).toEqual(['d']);
  });

  it('similar uses the relation that weighs more, a purchase five times a view, ties to bought', () => {
    const rows = (viewed: number): Row[] => [
      ['viewed', 'a', { b: [viewed, 9] }],
      ['bought', 'a', { c: [1_000, 9] }],
    ];
    expect(new Scorer(viewOf({ ...shop, rows: rows(5_000) })).similar(0, { limit: 1 }).relation).toBe('bought');
    expect(new Scorer(viewOf({ ...shop, rows: rows(5_001) })).similar(0, { limit: 1 }).relation).toBe('viewed');
    expect(new Scorer(viewOf({ ...shop, rows: [] })).similar(0, { limit: 1 })).toEqual({
      relation: undefined,
      items: [],
    });
  });

  it('bought together is the shrunk cosine of counts, from three sessions on', () => {
    const rows: Row[] = [['bought', 'a', { b: [9_999, 2], c: [3_000, 10], d: [3_000, 3] }]];
    const view = viewOf({ ...shop, rows });
    const items = new Scorer(view).boughtTogether(0, { limit: 10 });
    expect(named(view, items)).toEqual(['c', 'd']);
    expect(items[0]!.score).toBeCloseTo(10 / Math.sqrt(120 * 420), 12);
  });

  it('a session shares the chance that is left of reminders among what its items vote for', () => {
    const rows: Row[] = [
      ['viewed', 'a', { b: [1_000, 1], c: [2_000, 2] }],
      ['viewed', 'b', { a: [1_000, 1], c: [4_000, 4] }],
    ];
    const view = viewOf({ ...shop, rows, rep: [10, 5], repN: [100, 100] });
    const items = new Scorer(view).session([1, 0], { limit: 10, includeSeen: true });
    const old = Math.exp(-1 / 1.5);
    const s = (weight: number, i: number, j: number) => similarity(weight, i, j, 1_000);
    const raw = {
      a: s(1_000, 50, 100) ** 1.3,
      b: (old * s(1_000, 100, 50)) ** 1.3,
      c: ((s(4_000, 50, 400) + old * s(2_000, 100, 400)) * Math.SQRT2) ** 1.3,
    };
    const total = raw.a + raw.b + raw.c;
    const expected = new Map([
      ['a', (0.85 * raw.a) / total + 0.05],
      ['b', (0.85 * raw.b) / total + 0.1],
      ['c', (0.85 * raw.c) / total],
    ]);
    expect(new Set(named(view, items))).toEqual(new Set(expected.keys()));
    expect(items.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 12);
    for (const { item, score } of items) expect(score).toBeCloseTo(expected.get(view.id(item))!, 12);
    expect(items.find(({ item }) => view.id(item) === 'c')).toMatchObject({ because: 1, count: 4 });

    const unseen = new Scorer(view).session([1, 0], { limit: 10 });
    expect(named(view, unseen)).toEqual(['c']);
  });

  it('a user’s older items weigh less by their age', () => {
    const rows: Row[] = [
      ['viewed', 'a', { c: [1_000, 1] }],
      ['viewed', 'b', { d: [1_000, 1] }],
    ];
    const view = viewOf({ n: { a: 9, b: 9, c: 9, d: 9 }, N: 100, rows });
    const weekMs = 7 * 86_400_000;
    const items = new Scorer(view).user(
      [
        { item: 0, timestampMs: weekMs },
        { item: 1, timestampMs: 0 },
      ],
      { limit: 2 },
    );
    expect(named(view, items)).toEqual(['c', 'd']);
    const ratio = (Math.exp(-1 / 1.5) * Math.exp(-1)) ** 1.3;
    expect(items[1]!.score / items[0]!.score).toBeCloseTo(ratio, 12);
  });

  it('the same scorer gives the same answer again', () => {
    const view = viewOf({ ...shop, rep: [10], repN: [100] });
    const scorer = new Scorer(view);
    const first = scorer.session([0], { limit: 5, includeSeen: true });
    expect(scorer.session([0], { limit: 5, includeSeen: true })).toEqual(first);
  });
});
