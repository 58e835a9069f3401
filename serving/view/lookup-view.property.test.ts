import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  Chunk,
  chunkKey,
  emptyPairTotals,
  pairRow,
  relationCode,
  eventRelations,
  relations,
  storeNames,
  storeSerdes,
  type ProductStats,
  type EventRelation,
  type Relation,
} from '../../processors/index.ts';
import type { Product } from '../../schemas/index.ts';
import type { Publication } from '../host/messages.ts';
import { RowSlicer, type PublishedRow } from '../host/published-rows.ts';
import { publishedStores, wholeStores } from '../host/published-stores.ts';
import { FakeRows } from './fake-rows.ts';
import { LookupView } from './lookup-view.ts';

/** A change of the model; `item` and `other` are places in the list of ids. */
type Change =
  | {
      readonly kind: 'pairs';
      readonly relation: Relation;
      readonly item: number;
      readonly chunk: number;
      readonly entries: readonly [number, number, number][];
    }
  | { readonly kind: 'marginal'; readonly relation: EventRelation; readonly item: number; readonly n: number }
  | { readonly kind: 'totals'; readonly relation: EventRelation; readonly partition: number; readonly sessions: number }
  | { readonly kind: 'stats'; readonly item: number; readonly purchases: number; readonly service: boolean }
  | { readonly kind: 'title'; readonly item: number; readonly title: string }
  | { readonly kind: 'version'; readonly item: number; readonly title: string | null; readonly active: boolean }
  | { readonly kind: 'recent'; readonly user: number; readonly items: readonly number[] };

const ids = ['85123A', 'b/c', 'ü', '22423', 'é 1', '20725'];
const partitions = 3;
const ownerOf = (item: number) => item % partitions;

const item = fc.nat(ids.length - 1);
const relation = fc.constantFrom(...relations);
const ofEvents = fc.constantFrom(...eventRelations);
const count = fc.integer({ min: 1, max: 1000 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('pairs' as const),
    relation,
    item,
    chunk: fc.nat(2),
    entries: fc.array(fc.tuple(item, count, count), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('marginal' as const), relation: ofEvents, item, n: count }),
  fc.record({
    kind: fc.constant('totals' as const),
    relation: ofEvents,
    partition: fc.nat(partitions - 1),
    sessions: count,
  }),
  fc.record({ kind: fc.constant('stats' as const), item, purchases: fc.nat(9), service: fc.boolean() }),
  fc.record({ kind: fc.constant('title' as const), item, title: fc.string() }),
  fc.record({
    kind: fc.constant('version' as const),
    item,
    title: fc.option(fc.string({ minLength: 1 })),
    active: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('recent' as const), user: fc.nat(2), items: fc.uniqueArray(item) }),
);

/** What the view should say, kept with Maps and nothing else. */
class Model {
  readonly chunks = new Map<string, readonly [number, number, number][]>();
  readonly n = new Map<string, number>();
  readonly sessions = new Map<string, number>();
  readonly stats = new Map<number, { readonly purchases: number; readonly service: boolean }>();
  readonly titles = new Map<number, string>();
  readonly versions = new Map<number, { readonly title: string | null; readonly active: boolean }>();
  readonly recent = new Map<number, readonly number[]>();

  apply(of: Change): void {
    if (of.kind === 'pairs') this.chunks.set(`${of.relation} ${of.item} ${of.chunk}`, of.entries);
    else if (of.kind === 'marginal') this.n.set(`${of.relation} ${of.item}`, of.n);
    else if (of.kind === 'totals') this.sessions.set(`${of.relation} ${of.partition}`, of.sessions);
    else if (of.kind === 'stats') this.stats.set(of.item, of);
    else if (of.kind === 'title') this.titles.set(of.item, of.title);
    else if (of.kind === 'version') this.versions.set(of.item, of);
    else this.recent.set(of.user, of.items);
  }

  /** Everything that can be asked, as one value. */
  answers() {
    return {
      rows: relations.flatMap((of) => ids.map((_id, at) => this.#row(of, at))),
      n: eventRelations.flatMap((of) => ids.map((_id, at) => this.n.get(`${of} ${at}`) ?? 0)),
      sessions: eventRelations.map((of) =>
        Array.from({ length: partitions }, (_, p) => this.sessions.get(`${of} ${p}`) ?? 0).reduce((a, b) => a + b),
      ),
      products: ids.map((_id, at) => this.stats.has(at)),
      titles: ids.map((_id, at) => this.versions.get(at)?.title ?? this.titles.get(at) ?? null),
      recent: [0, 1, 2].map((user) => this.recent.get(user)?.map((at) => ids[at])),
      recommended: ids.map(
        (_id, at) => this.stats.get(at)?.service !== true && this.versions.get(at)?.active !== false,
      ),
    };
  }

  #row(of: Relation, at: number): string[] {
    return [0, 1, 2]
      .flatMap((chunk) => this.chunks.get(`${of} ${at} ${chunk}`) ?? [])
      .map(([other, weight, together]) => `${ids[other]} ${weight} ${together}`)
      .toSorted();
  }
}

/** The index of an item, whether it has had an event or not. */
function indexOf(view: LookupView, id: string): number | undefined {
  view.product(id); // Asks for it.
  return Array.from({ length: view.items }, (_, at) => at).find((at) => view.id(at) === id);
}

function answersOf(view: LookupView): ReturnType<Model['answers']> {
  const indexes = ids.map((id) => indexOf(view, id));
  const each = <T>(read: (index: number) => T, none: T) => indexes.map((at) => (at === undefined ? none : read(at)));
  return {
    rows: relations.flatMap((of) => each((at) => rowOf(view, of, at), [])),
    n: eventRelations.flatMap((of) => each((at) => view.n(of, at), 0)),
    sessions: eventRelations.map((of) => view.N(of)),
    products: ids.map((id) => view.product(id) !== undefined),
    titles: each((at) => view.title(at), null),
    recent: [0, 1, 2].map((user) => view.recent(`user ${user}`)?.map(({ productId }) => productId)),
    recommended: each((at) => view.isRecommended(at), true),
  };
}

function rowOf(view: LookupView, of: Relation, at: number): string[] {
  const row = view.row(of, at);
  if (row === undefined) return [];
  return Array.from(
    { length: row.length },
    (_, place) => `${view.id(row.neighbours[place]!)} ${row.weights[place]} ${row.counts[place]}`,
  ).toSorted();
}

/** The numbers of items differ from partition to partition, and from generation to generation. */
const numberOf = (partition: number, at: number) => (at * 5 + partition + numbering * 3) % 7;
let numbering = 0;

interface Row {
  readonly store: string;
  readonly partition: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

function row<N extends keyof typeof storeSerdes>(store: N, partition: number, key: unknown, value: unknown): Row {
  const serdes = storeSerdes[store] as {
    key: { serialize(k: unknown): Uint8Array };
    value: { serialize(v: unknown): Uint8Array };
  };
  return { store, partition, key: serdes.key.serialize(key).slice(), value: serdes.value.serialize(value).slice() };
}

function rowsOfChange(of: Change): Row[] {
  const names = (partition: number, items: readonly number[]) =>
    items.map((at) => row(storeNames.pairItemNames, partition, numberOf(partition, at), ids[at]));
  switch (of.kind) {
    case 'pairs': {
      const partition = ownerOf(of.item);
      const chunk = new Chunk();
      for (const [other, weight, together] of of.entries) chunk.append(numberOf(partition, other), weight, together);
      const key = chunkKey(pairRow(numberOf(partition, of.item), relationCode(of.relation)), of.chunk);
      return [
        row(storeNames.pairs, partition, key, chunk),
        ...names(partition, [of.item, ...of.entries.map(([other]) => other)]),
      ];
    }
    case 'marginal': {
      const partition = ownerOf(of.item);
      const key = pairRow(numberOf(partition, of.item), relationCode(of.relation));
      return [row(storeNames.marginals, partition, key, of.n), ...names(partition, [of.item])];
    }
    case 'totals':
      return [row(storeNames.pairTotals, of.partition, of.relation, { ...emptyPairTotals(), sessions: of.sessions })];
    case 'stats': {
      const stats: ProductStats = {
        views: 0,
        carts: 0,
        purchases: of.purchases,
        returns: 0,
        favorites: 0,
        removes: 0,
        ratings: 0,
        quantity: 0,
        revenue: 0,
        firstSeenMs: 1,
        lastSeenMs: 2,
        service: of.service,
        trend: { refMs: 0, fast: 0, slow: 0 },
      };
      return [row(storeNames.productStats, ownerOf(of.item), ids[of.item], stats)];
    }
    case 'title':
      return [
        row(storeNames.productTitles, ownerOf(of.item), ids[of.item], [
          { title: of.title, events: 1, firstMs: 1, firstEventId: 'e' },
        ]),
        ...names(ownerOf(of.item), [of.item]),
      ];
    case 'version': {
      const { title, active } = of;
      const version: Product = {
        ...{ id: ids[of.item]!, title, category: null, price: null, listPrice: null, currency: null, stars: null },
        ...{ reviews: 0, bestSeller: false, imageUrl: null, url: null, active, updatedAt: 1 },
      };
      return [row(storeNames.products, ownerOf(of.item), ids[of.item], version), ...names(ownerOf(of.item), [of.item])];
    }
    case 'recent': {
      const recent = of.items.map((at) => ({ productId: ids[at]!, timestamp: 1, eventId: 'e' }));
      const counts = {
        views: 0,
        carts: 0,
        purchases: 0,
        returns: 0,
        quantity: 0,
        spend: 0,
        firstSeenMs: 1,
        lastSeenMs: 1,
      };
      return [row(storeNames.userProfiles, 0, `user ${of.user}`, { ...counts, recent })];
    }
  }
}

/** As the host sends them: in the order of the stores; an item is named once, of which `committed` knows. */
function publishedRows(changes: readonly Change[], committed: FakeRows): PublishedRow[] {
  return changes
    .flatMap(rowsOfChange)
    .map(({ store, ...rest }) => ({ ...rest, store: publishedStores.indexOf(store) }))
    .filter((row) => publishedStores[row.store] !== storeNames.pairItemNames || !committed.has(row))
    .toSorted((a, b) => a.store - b.store);
}

function slicesOf(rows: readonly PublishedRow[], offset: number, generation?: number): Publication[] {
  const slicer = new RowSlicer(120);
  const slices: ArrayBuffer[] = [];
  for (const row of rows) {
    const full = slicer.add(row);
    if (full !== undefined) slices.push(full);
  }
  slices.push(slicer.take());
  const asOf = [{ topic: 'interactions', partition: 0, offset }];
  return slices.map((slice, at) => ({
    slice,
    last: at === slices.length - 1,
    whole: generation !== undefined,
    generation: generation ?? numbering,
    asOf,
    committedAtMs: offset,
  }));
}

/** A view over committed rows that answer after some turns, and read the rows some turns before that. */
function viewOver(
  committed: FakeRows | (() => FakeRows),
  of: { readonly bytesMax?: number; readonly turns?: readonly number[]; readonly sent?: () => Promise<void> } = {},
) {
  const { turns = [0] } = of;
  let fetches = 0;
  const view = new LookupView({
    stores: publishedStores,
    ...(of.bytesMax === undefined ? {} : { bytesMax: of.bytesMax }),
    ownerOf: (id) => ownerOf(ids.indexOf(id)),
    async fetch(request) {
      const at = fetches++;
      for (let left = turns[at % turns.length]!; left > 0; left -= 1) await turn();
      await of.sent?.();
      const slice = (typeof committed === 'function' ? committed() : committed).fetch(request);
      for (let left = turns[(at + 1) % turns.length]!; left > 0; left -= 1) await turn();
      return slice;
    },
  });
  return { view, fetches: () => fetches };
}

interface Question {
  readonly what: 'row' | 'title' | 'recent' | 'facts';
  readonly of: number;
}

/** Few enough things that they are here together, whatever the bound. */
function questionsOf(): Question[] {
  const rows = relations.flatMap((_of, code) => ids.map((_id, at) => code * ids.length + at));
  return [
    ...rows.map((of) => ({ what: 'row' as const, of })),
    ...ids.map((_id, of) => ({ what: 'title' as const, of })),
    ...ids.map((_id, of) => ({ what: 'facts' as const, of })),
    ...[0, 1, 2].map((of) => ({ what: 'recent' as const, of })),
  ];
}

function asked(view: LookupView, { what, of }: Question): unknown {
  if (what === 'recent') return view.recent(`user ${of}`)?.map(({ productId }) => productId);
  const at = indexOf(view, ids[of % ids.length]!);
  if (what === 'title') return at === undefined ? null : view.title(at);
  if (what === 'facts') {
    const n = eventRelations.map((relation) => (at === undefined ? 0 : view.n(relation, at)));
    return { seen: view.product(ids[of]!) !== undefined, recommended: at === undefined || view.isRecommended(at), n };
  }
  return at === undefined ? [] : rowOf(view, relations[Math.floor(of / ids.length)]!, at);
}

function expected(answers: ReturnType<Model['answers']>, { what, of }: Question): unknown {
  const { rows, titles, recent, products, recommended, n } = answers;
  if (what === 'row') return rows[of];
  if (what === 'facts') {
    const sessions = eventRelations.map((_relation, code) => n[code * ids.length + of]);
    return { seen: products[of], recommended: recommended[of], n: sessions };
  }
  return what === 'title' ? titles[of] : recent[of];
}

const history = fc.array(fc.array(change, { maxLength: 12 }), { minLength: 1, maxLength: 6, size: 'max' });

test('between any two turns the view says what the model says after a whole number of publications', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (publications) => {
      const committed = new FakeRows();
      // The host sends a commit's slices in one go, so it answers nothing between two of them.
      let sent = Promise.resolve();
      const { view } = viewOver(committed, { sent: () => sent });
      const model = new Model();
      const after = [model.answers()];
      const expectOne = async () => {
        const [said, of] = await view.readThrough(() => [answersOf(view), view.publications] as const);
        expect(said).toEqual(after[of]);
        return of;
      };
      for (const [at, changes] of publications.entries()) {
        for (const of of changes) model.apply(of);
        after.push(model.answers());
        const rows = publishedRows(changes, committed);
        const slices = slicesOf(rows, at + 1);
        let allSent = () => {};
        sent = new Promise((resolve) => (allSent = resolve));
        for (const slice of slices.slice(0, -1)) view.receive(slice);
        await turn();
        // Nothing of a publication shows before its last slice has come.
        expect(view.publications).toBe(at);
        const between = view.readThrough(() => answersOf(view));
        if (!(between instanceof Promise)) expect(between).toEqual(after[at]);
        view.receive(slices.at(-1)!);
        for (const row of rows) committed.put(row);
        allSent();
        await between;
        while (view.waitingSlices > 0) {
          await expectOne();
          await turn();
        }
        expect(await expectOne()).toBe(at + 1);
        expect(view.asOf).toEqual([{ topic: 'interactions', partition: 0, offset: at + 1 }]);
      }
    }),
    { numRuns: 150 },
  );
});

test('what is fetched while publications come, and pushed out again by a small bound, is of one publication too', async () => {
  const questions = questionsOf();
  const plan = fc.record({
    publications: history,
    bytesMax: fc.constantFrom(8 * 1024, 1024 * 1024),
    turns: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
    asks: fc.array(fc.nat(questions.length - 1), { minLength: 1, maxLength: 60, size: 'max' }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ publications, bytesMax, turns, asks }) => {
      const committed = new FakeRows();
      const { view } = viewOver(committed, { bytesMax, turns });
      const model = new Model();
      const after = [model.answers()];
      let next = 0;
      const running: Promise<void>[] = [];
      const ask = async () => {
        const question = questions[asks[next++ % asks.length]!]!;
        const [said, of] = await view.readThrough(() => [asked(view, question), view.publications] as const);
        expect([question, said]).toEqual([question, expected(after[of]!, question)]);
      };
      for (const [at, changes] of publications.entries()) {
        for (const of of changes) model.apply(of);
        after.push(model.answers());
        for (let left = 0; left < 8; left += 1) running.push(ask());
        const rows = publishedRows(changes, committed);
        // The host sends all of a commit's slices in one go, and answers from it only then.
        for (const slice of slicesOf(rows, at + 1)) view.receive(slice);
        for (const row of rows) committed.put(row);
        for (let left = 0; left < 4; left += 1) running.push(ask());
        await turn();
        running.push(ask());
      }
      await Promise.all(running);
      while (view.waitingSlices > 0) await turn();
      for (let left = asks.length; left > 0; left -= 1) await ask();
      expect(view.publications).toBe(publications.length);
    }),
    { numRuns: 400 },
  );
}, 120_000);

test('what is asked for before another generation is shown is answered of one of the two, never of both', async () => {
  const questions = questionsOf();
  const plan = fc.record({
    publications: fc.array(fc.tuple(fc.array(change, { maxLength: 12 }), fc.boolean()), { minLength: 2, maxLength: 6 }),
    bytesMax: fc.constantFrom(8 * 1024, 1024 * 1024),
    turns: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
    asks: fc.array(fc.nat(questions.length - 1), { minLength: 1, maxLength: 60, size: 'max' }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ publications, bytesMax, turns, asks }) => {
      numbering = 0;
      let committed = new FakeRows();
      const { view } = viewOver(() => committed, { bytesMax, turns });
      let model = new Model();
      const after = [model.answers()];
      let next = 0;
      const running: Promise<void>[] = [];
      const ask = async () => {
        const question = questions[asks[next++ % asks.length]!]!;
        const [said, of] = await view.readThrough(() => [asked(view, question), view.publications] as const);
        expect([question, of, said]).toEqual([question, of, expected(after[of]!, question)]);
      };
      for (const [at, [changes, isOfNext]] of publications.entries()) {
        if (isOfNext) {
          // It has been made elsewhere: of its rows, only those that come whole are published.
          numbering += 1;
          model = new Model();
          committed = new FakeRows();
        }
        for (const of of changes) model.apply(of);
        after.push(model.answers());
        for (let left = 0; left < 8; left += 1) running.push(ask());
        const rows = publishedRows(changes, committed);
        const sent = isOfNext ? rows.filter(({ store }) => wholeStores.includes(publishedStores[store]!)) : rows;
        for (const slice of slicesOf(sent, at + 1, isOfNext ? numbering : undefined)) view.receive(slice);
        for (const row of rows) committed.put(row);
        for (let left = 0; left < 4; left += 1) running.push(ask());
        await turn();
        running.push(ask());
      }
      await Promise.all(running);
      while (view.waitingSlices > 0) await turn();
      for (let left = asks.length; left > 0; left -= 1) await ask();
      expect(view.generation).toBe(numbering);
    }),
    { numRuns: 400 },
  );
  numbering = 0;
}, 120_000);

test('what has been fetched is not fetched again, and is kept up to date', async () => {
  const committed = new FakeRows();
  const { view, fetches } = viewOver(committed);
  const title = (text: string): Change => ({ kind: 'title', item: 0, title: text });
  const publish = (changes: readonly Change[], at: number) => {
    const rows = publishedRows(changes, committed);
    for (const row of rows) committed.put(row);
    for (const slice of slicesOf(rows, at)) view.receiveNow(slice);
  };
  publish([title('lamp')], 1);
  expect(await view.readThrough(() => view.title(0))).toBe('lamp');
  publish([title('lantern')], 2);
  expect(await view.readThrough(() => view.title(0))).toBe('lantern');
  expect(fetches()).toBe(1);
});

test('publications that come faster than they are staged show one after the other', async () => {
  const committed = new FakeRows();
  const { view } = viewOver(committed);
  const seen: number[] = [];
  view.onApplied(() => seen.push(view.asOf[0]!.offset));
  for (let at = 1; at <= 50; at += 1) {
    const changes: Change[] = ids.map((_id, place) => ({ kind: 'stats', item: place, purchases: at, service: false }));
    const rows = publishedRows(changes, committed);
    for (const row of rows) committed.put(row);
    for (const slice of slicesOf(rows, at)) view.receive(slice);
  }
  expect(view.publications).toBe(0);
  while (view.waitingSlices > 0) await turn();
  expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  expect(await view.readThrough(() => ids.map((id) => view.product(id) !== undefined))).toEqual(ids.map(() => true));
});

test('when the host thread does not answer, the look-up fails, and the next one asks again', async () => {
  const committed = new FakeRows();
  let fails = true;
  const view = new LookupView({
    stores: publishedStores,
    ownerOf: () => 0,
    fetch: (request) => (fails ? Promise.reject(new Error('too late')) : Promise.resolve(committed.fetch(request))),
  });
  const rows = publishedRows([{ kind: 'recent', user: 0, items: [1] }], committed);
  for (const row of rows) committed.put(row);
  for (const slice of slicesOf(rows, 1)) view.receiveNow(slice);
  await expect(view.readThrough(() => view.recent('user 0'))).rejects.toThrow('too late');
  fails = false;
  expect((await view.readThrough(() => view.recent('user 0')))?.map(({ productId }) => productId)).toEqual([ids[1]]);
});

test('of a pair row that is being fetched, what is published meanwhile wins over the answer', async () => {
  const committed = new FakeRows();
  let answer = () => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const view = new LookupView({
    stores: publishedStores,
    ownerOf: (id) => ownerOf(ids.indexOf(id)),
    async fetch(request) {
      const slice = committed.fetch(request);
      await answered;
      return slice;
    },
  });
  const pairs = (chunk: number, weight: number): Change => {
    return { kind: 'pairs', relation: 'bought', item: 0, chunk, entries: [[1 + chunk, weight, 1]] };
  };
  const before = publishedRows([pairs(0, 10), pairs(1, 20)], committed);
  for (const row of before) committed.put(row);
  // As at start: the names come, the rows are left to be fetched.
  for (const slice of slicesOf(before, 1)) view.receiveNow({ ...slice, whole: true });
  const item = indexOf(view, ids[0]!)!;
  const row = view.readThrough(() => rowOf(view, 'bought', item));
  for (const slice of slicesOf(publishedRows([pairs(1, 21)], committed), 2)) view.receiveNow(slice);
  answer();
  expect(await row).toEqual([`${ids[1]} 10 1`, `${ids[2]} 21 1`].toSorted());
});
