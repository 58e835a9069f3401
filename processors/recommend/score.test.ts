import { describe, expect, it } from 'vitest';
import { Chunk } from '../packed/chunk.ts';
import { chunkKey } from '../packed/chunk-key.ts';
import { pairRow } from '../pairs/pair-row.ts';
import { emptyPairTotals } from '../pairs/pair-totals.ts';
import { eventRelations, relationCode, type EventRelation, type Relation } from '../pairs/relation.ts';
import { MemoryPairView } from './memory-pair-view.ts';
import { Scorer } from './score.ts';

type Row = readonly [relation: Relation, item: string, neighbours: Readonly<Record<string, readonly [number, number]>>];

interface Shop {
  readonly n: Readonly<Record<string, number>>;
  readonly N: number;
  /** Where a relation's sums are not `n` and `N`. */
  readonly of?: Partial<Record<EventRelation, { readonly n: Readonly<Record<string, number>>; readonly N: number }>>;
  readonly rows: readonly Row[];
  readonly rep?: readonly number[];
  readonly repN?: readonly number[];
}

/** Indexes are the places of the items in `n`. */
function viewOf({ n, N, of = {}, rows, rep = [], repN = [] }: Shop): MemoryPairView {
  const view = new MemoryPairView();
  const items = Object.keys(n);
  for (const [number, item] of items.entries()) view.setItem(0, item, number);
  for (const relation of eventRelations) {
    for (const [number, item] of items.entries())
      view.setMarginal(0, pairRow(number, relationCode(relation)), (of[relation]?.n ?? n)[item]!);
    const totals = emptyPairTotals();
    totals.sessions = of[relation]?.N ?? N;
    for (const [at, value] of rep.entries()) totals.rep[at + 1] = value;
    for (const [at, value] of repN.entries()) totals.repN[at + 1] = value;
    view.setTotals(0, relation, totals);
  }
  for (const [relation, item, neighbours] of rows) {
    const chunk = Chunk.head();
    for (const [other, [weight, count]] of Object.entries(neighbours)) {
      chunk.append(items.indexOf(other), weight, count);
    }
    view.setChunk(0, chunkKey(pairRow(items.indexOf(item), relationCode(relation)), 0), chunk);
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

  it('a cart weighs three times a view, and gives way to a purchase in a tie only', () => {
    const rows = (viewed: number, carted: number, bought: number): Row[] => [
      ['viewed', 'a', { b: [viewed, 9] }],
      ['cart', 'a', { c: [carted, 9] }],
      ['bought', 'a', { d: [bought, 9] }],
      ['viewed-bought', 'a', { d: [99_999, 9] }],
    ];
    const strongest = (...weights: [number, number, number]) =>
      new Scorer(viewOf({ ...shop, rows: rows(...weights) })).similar(0, { limit: 1 }).relation;
    expect(strongest(3_000, 1_000, 599)).toBe('cart');
    expect(strongest(3_001, 1_000, 599)).toBe('viewed');
    expect(strongest(3_000, 1_000, 600)).toBe('bought');
  });

  it('a relation that is asked for by name is scored alone; viewed-bought by the sums of views and purchases', () => {
    const rows: Row[] = [
      ['viewed', 'a', { b: [99_999, 99] }],
      ['viewed-bought', 'a', { c: [3_000, 4] }],
    ];
    const of = {
      viewed: { n: { a: 70, b: 1, c: 9, d: 1 }, N: 900 },
      bought: { n: { a: 5, b: 1, c: 30, d: 1 }, N: 200 },
    };
    const view = viewOf({ ...shop, of, rows });
    const { relation, items } = new Scorer(view).similar(0, { limit: 9, relation: 'viewed-bought' });
    expect([relation, named(view, items)]).toEqual(['viewed-bought', ['c']]);
    expect(items[0]!.score).toBeCloseTo(similarity(3_000, 70, 30, 200), 12);
    expect(items[0]).toMatchObject({ because: 0, count: 4 });
    expect(new Scorer(view).similar(0, { limit: 9, relation: 'cart' })).toEqual({ relation: undefined, items: [] });
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
