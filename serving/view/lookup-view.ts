import {
  bestTitle,
  chunkOfChunkKey,
  currentCategory,
  emptyPairTotals,
  isActiveRow,
  eventRelations,
  itemOfPairRow,
  relationCode,
  relationOfPairRow,
  rowOfChunkKey,
  storeNames,
  storeSerdes,
  type CategoryTops,
  type ChunkKey,
  type EventRelation,
  type EventRelationCode,
  type PairRow,
  type PairTotals,
  type PairView,
  type RecentProduct,
  type Relation,
  type Reminders,
} from '../../processors/index.ts';
import { MillraceError, stringSerde } from '../../schemas/index.ts';
import type { Publication, SourceOffset } from '../host/messages.ts';
import type { PublishedRow } from '../host/published-rows.ts';
import { titledProducts } from '../host/published-stores.ts';
import { DemandCache } from './demand-cache.ts';
import { Demands, nameKey, type Fetch, type Missing } from './demands.ts';
import { inactive, ItemFacts, seen, service, sessions } from './item-facts.ts';
import { ItemIndex } from './item-index.ts';
import { Overlay } from './overlay.ts';
import { PairRows, type ChunkPlace } from './pair-rows.ts';
import { RowCache } from './row-cache.ts';
import { StagingQueue } from './staging-queue.ts';
import { sumOfTotals } from './sum-of-totals.ts';

/**
 * The HTTP thread's replica of what look-ups need, fed by the host thread's publications (docs/architecture/serving.md).
 *
 *     publication slices ─┬─> StagingQueue ─> stage(row): beside what readers see
 *     answers ────────────┘                ├─> apply():   readers see all of a publication
 *              ^                           └─> fill(row): what is not here yet
 *              └── rows that nobody had asked for, or that were pushed out: one question to the host thread
 *
 * | kept                                            | how                                              |
 * |-------------------------------------------------|--------------------------------------------------|
 * | totals of the pairs                             | all, from the start                             |
 * | ids, marginals and flags of items               | dense columns, fetched on demand and kept       |
 * | pair rows, titles, users' last products          | fetched on demand, bounded                      |
 *
 * So a start costs the same whatever the stores hold. An item is known by its id first, then by its number in its own
 * partition, then its facts are asked for (item-facts.ts): what is published meanwhile is told by numbers.
 *
 * Whatever is read between two turns of the event loop belongs to one publication, the one that `asOf` names. Items
 * have dense indexes of this view's own; they stay the same as long as the view lives.
 */
export class LookupView implements PairView {
  readonly #index = new ItemIndex();
  readonly #stores: readonly Receive[];
  readonly #fillers: readonly Receive[];
  readonly #queue: StagingQueue;
  readonly #ownerOf: (id: string) => number;
  readonly #pairs: PairRows;
  readonly #rowCache: RowCache;
  readonly #totalRows = eventRelations.map(() => new Map<number, PairTotals>());
  readonly #totals = new Overlay<TotalsPlace, PairTotals>(({ relation, partition }, totals) =>
    this.#totalRows[relation]!.set(partition, totals),
  );
  readonly #facts = new ItemFacts();
  /** Ids that were asked for and that the index doesn't have: null: there is no such item; a row: there is one now. */
  readonly #strangers: DemandCache<string>;
  readonly #titles: DemandCache<number>;
  /** UTF-8; null: the catalogue has none. */
  readonly #catalogueTitles: DemandCache<number>;
  readonly #categories: DemandCache<number>;
  readonly #tops: DemandCache<string>;
  /** By the row's bytes: hundreds of entries, read by every list that is filled up. */
  readonly #decodedTops = new WeakMap<Uint8Array, CategoryTops>();
  readonly #users: DemandCache<string>;
  readonly #demands: Demands;
  readonly #fetchedLayers: readonly (Layer & { forget(): void; forgetAll(): void })[];
  readonly #layers: readonly Layer[];
  #missing: Missing = {
    products: new Set(),
    names: new Set(),
    items: new Set(),
    titles: new Set(),
    categories: new Set(),
    tops: new Set(),
    users: new Set(),
  };
  #generation: number | undefined;
  /** Generations shown so far; going back to one counts again. */
  #epoch = 0;
  #publications = 0;
  #version = 0;
  readonly #listeners: (() => void)[] = [];
  #asOf: readonly SourceOffset[] = [];
  #committedAtMs = 0;
  #sums: (PairTotals | undefined)[] = [];

  constructor(options: LookupViewOptions) {
    const { bytesMax = defaultViewBytesMax } = options;
    this.#stores = options.stores.map((name) => this.#stagerOf(name));
    this.#fillers = [...options.stores, titledProducts].map((name) => this.#fillerOf(name));
    this.#ownerOf = options.ownerOf;
    this.#pairs = new PairRows(this.#index, bytesMax * shares.pairs);
    this.#rowCache = new RowCache(this.#pairs, (bytesMax * shares.rows) / entryBytes);
    this.#titles = new DemandCache(bytesMax * shares.titles);
    this.#catalogueTitles = new DemandCache(bytesMax * shares.catalogueTitles);
    this.#categories = new DemandCache(bytesMax * shares.categories);
    this.#tops = new DemandCache(bytesMax * shares.tops);
    this.#users = new DemandCache(bytesMax * shares.users);
    this.#strangers = new DemandCache(bytesMax * shares.strangers);
    this.#fetchedLayers = [
      this.#facts,
      this.#strangers,
      this.#pairs,
      this.#titles,
      this.#catalogueTitles,
      this.#categories,
      this.#tops,
      this.#users,
    ];
    this.#layers = [this.#totals, ...this.#fetchedLayers];
    const epoch = (): number => this.#epoch;
    this.#queue = new StagingQueue({
      get epoch() {
        return epoch();
      },
      stage: (row) => this.#to(this.#stores, row),
      apply: (last) => this.#apply(last),
      fill: (row) => this.#to(this.#fillers, row),
      settle: (max) => this.#layers.every((layer) => layer.settle(max)),
    });
    this.#demands = new Demands({
      fetch: options.fetch,
      caches: {
        products: this.#products,
        names: alwaysKept,
        items: this.#pairs,
        titles: together(this.#catalogueTitles, this.#titles),
        categories: this.#categories,
        tops: this.#tops,
        users: this.#users,
      },
      id: (item) => this.id(item),
      epoch,
      arrived: ({ settle, ...answer }) =>
        this.#queue.push({ kind: 'answer', ...answer, settle: (how) => this.#settled(() => settle(how)) }),
    });
  }

  /** Takes a slice; it shows with the rest of its publication, a few turns of the event loop after the last one. */
  receive(publication: Publication): void {
    this.#queue.push({ kind: 'publication', publication });
  }

  /** Takes a slice and shows it before it returns, for those who have no event loop to keep free. */
  receiveNow(publication: Publication): void {
    this.#queue.push({ kind: 'publication', publication });
    this.#queue.drain();
  }

  /** Called each time readers begin to see a publication. */
  onApplied(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Publications applied so far; 0: the view is empty still. */
  get publications(): number {
    return this.#publications;
  }

  /** Changes whenever anything that is read here may have changed. */
  get version(): number {
    return this.#version;
  }

  /**
   * What `read` gives, once everything that it asks of this view is here. It is called again after what was missing has
   * been fetched, so that its last call, the one that counts, sees one publication.
   *
   * @throws MillraceError `OVERLOADED` when what it needs is pushed out again and again: the bound is too small for it.
   */
  readThrough<T>(read: () => T): T | Promise<T> {
    const value = this.#tried(read);
    return value === notHere ? this.#fetched(read) : value;
  }

  /** Which state is read; undefined before the first publication. */
  get generation(): number | undefined {
    return this.#generation;
  }

  /** The source offsets that everything read now follows from. */
  get asOf(): readonly SourceOffset[] {
    return this.#asOf;
  }

  get committedAtMs(): number {
    return this.#committedAtMs;
  }

  get waitingSlices(): number {
    return this.#queue.waitingSlices;
  }

  get items(): number {
    return this.#index.size;
  }

  /** Bytes in use, by what they are used for. */
  get byteLengths(): { readonly [part: string]: number } {
    return {
      ids: this.#index.byteLength + this.#strangers.byteLength,
      columns: this.#facts.byteLength,
      pairs: this.#pairs.usedBytes,
      titles: this.#titles.byteLength + this.#catalogueTitles.byteLength,
      categories: this.#categories.byteLength,
      tops: this.#tops.byteLength,
      users: this.#users.byteLength,
    };
  }

  id(item: number): string {
    return this.#index.id(item);
  }

  /** The index of a product that has had an event. */
  product(id: string): number | undefined {
    const item = this.#index.find(id);
    if (item !== undefined) return this.#isKnown(item) && this.#facts.isSeen(item) ? item : undefined;
    if (this.#strangers.get(id) !== null) this.#missing.products.add(id);
    return undefined;
  }

  /** The catalogue's title; of what has none there, the one that most events brought. */
  title(item: number): string | null {
    const title = this.#catalogueTitles.get(item);
    const row = this.#titles.get(item);
    if (title === undefined || row === undefined) this.#missing.titles.add(item);
    if (title !== undefined && title !== null) return textOf(title);
    return row === undefined || row === null ? null : decodeTitle(row);
  }

  /** Neither a service, a charge such as postage, nor inactive in the catalogue. */
  isRecommended(item: number): boolean {
    return this.#isKnown(item) && this.#facts.isRecommended(item);
  }

  /** The category that the catalogue names now. */
  category(item: number): string | null {
    const row = this.#categories.get(item);
    if (row === undefined) this.#missing.categories.add(item);
    if (row === undefined || row === null) return null;
    return currentCategory(storeSerdes[storeNames.productCategories].value.deserialize(row));
  }

  /** What trends and sells best in a category, '' being the whole shop; undefined for one that nobody knows. */
  tops(category: string): CategoryTops | undefined {
    const row = this.#tops.get(category);
    if (row === undefined) this.#missing.tops.add(category);
    if (row === undefined || row === null) return undefined;
    let tops = this.#decodedTops.get(row);
    if (tops === undefined) {
      tops = storeSerdes[storeNames.categoryTops].value.deserialize(row);
      this.#decodedTops.set(row, tops);
    }
    return tops;
  }

  /** A user's last products, latest first; undefined for an unknown user. */
  recent(userId: string): readonly RecentProduct[] | undefined {
    const row = this.#users.get(userId);
    if (row === undefined) this.#missing.users.add(userId);
    return row === undefined || row === null ? undefined : decodeRecent(row);
  }

  row(relation: Relation, item: number): PairRow | undefined {
    if (this.#pairs.isHeld(item)) return this.#rowCache.read(item, relation, this.#unnamed);
    // Rows come by the item's number, so that has to be known first.
    if (this.#facts.isFound(item)) this.#missing.items.add(item);
    else this.#missing.products.add(this.id(item));
    return undefined;
  }

  n(relation: EventRelation, item: number): number {
    return this.#isKnown(item) ? this.#facts.n(relationCode(relation), item) : 0;
  }

  N(relation: EventRelation): number {
    return this.#sumOf(relation).sessions;
  }

  reminders(relation: EventRelation): Reminders {
    return this.#sumOf(relation);
  }

  readonly #unnamed = (partition: number, number: number): void => {
    this.#missing.names.add(nameKey(partition, number));
  };

  #isKnown(item: number): boolean {
    if (this.#facts.isHeld(item)) return true;
    this.#missing.products.add(this.id(item));
    return false;
  }

  /** Whose facts are on their way. The first answer may find an item only; then they are asked for again. */
  readonly #products = {
    want: (id: string): void => {
      const item = this.#index.find(id);
      if (item === undefined) this.#strangers.want(id);
      else this.#facts.want(item);
    },
    filled: (id: string): void => {
      this.#strangers.filled(id);
      const item = this.#index.find(id);
      if (item === undefined) return;
      this.#facts.filled(item);
      this.#facts.found(item);
    },
    giveUp: (id: string): void => {
      this.#strangers.giveUp(id);
      const item = this.#index.find(id);
      if (item !== undefined) this.#facts.giveUp(item);
    },
  };

  #sumOf(relation: EventRelation): PairTotals {
    const code = relationCode(relation);
    this.#totals.settle(Infinity);
    return (this.#sums[code] ??= sumOfTotals([...this.#totalRows[code]!.values()]));
  }

  #tried<T>(read: () => T): T | typeof notHere {
    const missing: readonly Set<unknown>[] = Object.values(this.#missing);
    for (const of of missing) of.clear();
    const isMissing = (): boolean => missing.some(({ size }) => size > 0);
    try {
      const value = read();
      if (!isMissing()) return value;
    } catch (error) {
      if (!isMissing()) throw error;
    }
    this.#version += 1; // What was computed from what is not all here is not to be kept.
    return notHere;
  }

  async #fetched<T>(read: () => T): Promise<T> {
    for (let rounds = 0; rounds < roundsMax; rounds += 1) {
      await this.#demands.fetch(this.#missing);
      const value = this.#tried(read);
      if (value !== notHere) return value;
    }
    throw new MillraceError(
      'OVERLOADED',
      `A look-up wants what it needs in memory after ${roundsMax} questions to the database, found some pushed out again.`,
      { rounds: roundsMax },
    );
  }

  #settled(settle: () => void): void {
    settle();
    this.#version += 1;
  }

  #to(receivers: readonly Receive[], row: PublishedRow): void {
    const receive = receivers[row.store];
    if (receive === undefined) {
      throw new MillraceError(
        'INTERNAL',
        `A publication names store ${row.store}, but ${this.#stores.length} are published.`,
        { store: row.store },
      );
    }
    receive(row);
  }

  #apply({ asOf, committedAtMs, whole, generation }: Publication): void {
    if (this.#generation !== undefined && this.#generation !== generation) this.#leaveGeneration();
    this.#generation = generation;
    for (const layer of this.#layers) layer.apply();
    if (whole) for (const cache of this.#fetchedLayers) cache.forget();
    this.#publications += 1;
    this.#version += 1;
    this.#asOf = asOf;
    this.#committedAtMs = committedAtMs;
    this.#sums = [];
    for (const listener of this.#listeners) listener();
  }

  /** Numbers of items, and all that is known by them, are of one generation only; what is staged is of the next one. */
  #leaveGeneration(): void {
    this.#epoch += 1;
    this.#totals.settle(Infinity);
    for (const totals of this.#totalRows) totals.clear();
    for (const layer of this.#fetchedLayers) layer.forgetAll();
    this.#index.forgetNumbers();
  }

  #stagerOf(store: string): Receive {
    switch (store) {
      case storeNames.pairItemNames:
        return (row) => this.#stageItem(row);
      case storeNames.pairs:
        return (row) => this.#stageChunk(row);
      case storeNames.marginals:
        return (row) => this.#setMarginal(row, (item, fact, value) => this.#facts.stage(item, fact, value));
      case storeNames.pairTotals:
        return (row) => this.#stageTotals(row);
      case storeNames.productStats:
        return (row) => {
          this.#strangers.stage(textOf(row.key), present);
          this.#setStats(row, (item, fact, value) => this.#facts.stage(item, fact, value));
        };
      case storeNames.products:
        return (row) => {
          this.#setProduct(row, (item, fact, value) => this.#facts.stage(item, fact, value));
          const item = this.#index.find(textOf(row.key));
          if (item !== undefined) this.#catalogueTitles.stage(item, catalogueTitle(row));
        };
      case storeNames.productTitles:
        return (row) => this.#stageTitles(row);
      case storeNames.productCategories:
        return ({ key, value }) => {
          const item = this.#index.find(textOf(key));
          if (item !== undefined) this.#categories.stage(item, value);
        };
      case storeNames.categoryTops:
        return ({ key, value }) => this.#tops.stage(textOf(key), value);
      case storeNames.userProfiles:
        return (row) => this.#stageProfile(row);
      default:
        return () => {};
    }
  }

  /** A commit names an item when it numbers it: in its own partition it has no pairs but those that come now. */
  #stageItem(row: PublishedRow): void {
    const id = this.#nameItem(row);
    if (id === undefined) return;
    this.#strangers.stage(id, present);
    if (row.partition === this.#ownerOf(id)) this.#pairs.begin(this.#index.add(id));
  }

  /** Numbers of items stay, so they may be known before anybody reads a row that leads to them. */
  #nameItem({ partition, key, value }: PublishedRow): string | undefined {
    if (value === null) return undefined;
    const { key: keySerde, value: valueSerde } = storeSerdes[storeNames.pairItemNames];
    const id = valueSerde.deserialize(value);
    const item = this.#index.add(id);
    this.#index.setNumber(partition, keySerde.deserialize(key), item);
    if (partition === this.#ownerOf(id)) this.#facts.found(item);
    return id;
  }

  #stageChunk(row: PublishedRow): void {
    const item = this.#index.ofNumber(row.partition, itemOfPairRow(rowOfChunkKey(chunkKeyOf(row))));
    if (item !== undefined) this.#pairs.stage(item, placeOf(row), row.value);
  }

  #fillChunk(row: PublishedRow): void {
    const item = this.#index.ofNumber(row.partition, itemOfPairRow(rowOfChunkKey(chunkKeyOf(row))));
    if (item !== undefined && row.value !== null) this.#pairs.fill(item, placeOf(row), row.value);
  }

  /** Stores whose rows are asked for. */
  #fillerOf(store: string): Receive {
    switch (store) {
      case storeNames.pairItemNames:
        return (row) => void this.#nameItem(row);
      case storeNames.productStats:
        return (row) => {
          this.#index.add(textOf(row.key));
          this.#setStats(row, (item, fact, value) => this.#facts.fill(item, fact, value));
        };
      case storeNames.products:
        return (row) => {
          this.#index.add(textOf(row.key));
          this.#setProduct(row, (item, fact, value) => this.#facts.fill(item, fact, value));
        };
      case titledProducts:
        return (row) => {
          const item = this.#index.find(textOf(row.key));
          const title = catalogueTitle(row);
          if (item !== undefined && title !== null) this.#catalogueTitles.fill(item, title);
        };
      case storeNames.marginals:
        return (row) => this.#setMarginal(row, (item, fact, value) => this.#facts.fill(item, fact, value));
      case storeNames.pairs:
        return (row) => this.#fillChunk(row);
      case storeNames.productTitles:
        return ({ key, value }) => {
          const item = this.#index.find(storeSerdes[storeNames.productTitles].key.deserialize(key));
          if (item !== undefined && value !== null) this.#titles.fill(item, value);
        };
      case storeNames.productCategories:
        return ({ key, value }) => {
          const item = this.#index.find(textOf(key));
          if (item !== undefined && value !== null) this.#categories.fill(item, value);
        };
      case storeNames.categoryTops:
        return ({ key, value }) => {
          if (value !== null) this.#tops.fill(textOf(key), value);
        };
      case storeNames.userProfiles:
        return ({ key, value }) => {
          if (value !== null) this.#users.fill(storeSerdes[storeNames.userProfiles].key.deserialize(key), value);
        };
      default:
        return () => {};
    }
  }

  #setMarginal({ partition, key, value }: PublishedRow, set: SetFact): void {
    const { key: keySerde, value: valueSerde } = storeSerdes[storeNames.marginals];
    const numbered = keySerde.deserialize(key);
    const item = this.#index.ofNumber(partition, itemOfPairRow(numbered));
    if (item === undefined) return;
    const code = relationCode(relationOfPairRow(numbered)) as EventRelationCode;
    set(item, sessions + code, value === null ? 0 : valueSerde.deserialize(value));
  }

  #stageTotals({ partition, key, value }: PublishedRow): void {
    const relation = storeSerdes[storeNames.pairTotals].key.deserialize(key);
    const totals = value === null ? emptyPairTotals() : storeSerdes[storeNames.pairTotals].value.deserialize(value);
    this.#totals.stage({ relation: relationCode(relation as EventRelation), partition }, totals);
  }

  #setStats({ key, value }: PublishedRow, set: SetFact): void {
    const item = this.#index.find(textOf(key));
    if (item === undefined) return;
    const stats = value === null ? undefined : storeSerdes[storeNames.productStats].value.deserialize(value);
    set(item, seen, stats === undefined ? 0 : 1);
    set(item, service, stats?.service === true ? 1 : 0);
  }

  #setProduct({ key, value }: PublishedRow, set: SetFact): void {
    const item = this.#index.find(textOf(key));
    if (item !== undefined) set(item, inactive, value === null || isActiveRow(value) ? 0 : 1);
  }

  #stageTitles({ key, value }: PublishedRow): void {
    const item = this.#index.find(textOf(key));
    if (item !== undefined) this.#titles.stage(item, value);
  }

  #stageProfile({ key, value }: PublishedRow): void {
    this.#users.stage(storeSerdes[storeNames.userProfiles].key.deserialize(key), value);
  }
}

export interface LookupViewOptions {
  /** Names behind the store numbers of published rows; stores that look-ups don't need are passed over. */
  readonly stores: readonly string[];
  /** Asks the host thread for rows of published stores. */
  readonly fetch: Fetch;
  /** The partition whose stores have an item's rows. */
  readonly ownerOf: (id: string) => number;
  /** Of all that is fetched on demand. Default 128 MiB. */
  readonly bytesMax?: number;
}

const defaultViewBytesMax = 128 * 1024 * 1024;

/** How `bytesMax` is divided: pair rows, the same as scoring reads them, titles, users' last products, categories and their tops. */
const shares = {
  pairs: 0.5,
  rows: 0.2,
  titles: 0.06,
  catalogueTitles: 0.04,
  users: 0.09,
  categories: 0.05,
  tops: 0.05,
  strangers: 0.01,
} as const;
const entryBytes = 12;

/**
 * Questions to the host thread for one look-up: a user's products, their rows, names and facts of what they lead to, the
 * same of what fills the list up, and titles.
 */
const roundsMax = 16;
const notHere = Symbol('not here');

type Receive = (row: PublishedRow) => void;
type SetFact = (item: number, fact: number, value: number) => void;

/** Names are never pushed out, and never change. */
const alwaysKept = { want: () => {}, filled: () => {}, giveUp: () => {} };
const present = new Uint8Array();

/** Something in which a publication is staged (overlay.ts). */
interface Layer {
  apply(): void;
  settle(max: number): boolean;
}

interface TotalsPlace {
  readonly relation: EventRelationCode;
  readonly partition: number;
}

/** Two caches that one question is asked for. */
function together<K>(...caches: readonly DemandCache<K>[]) {
  const each =
    (how: 'want' | 'filled' | 'giveUp') =>
    (key: K): void => {
      for (const cache of caches) cache[how](key);
    };
  return { want: each('want'), filled: each('filled'), giveUp: each('giveUp') };
}

function catalogueTitle({ value }: PublishedRow): Uint8Array | null {
  const title = value === null ? null : storeSerdes[storeNames.products].value.deserialize(value).title;
  return title === null ? null : stringSerde.serialize(title);
}

function decodeTitle(bytes: Uint8Array): string | null {
  return bestTitle(storeSerdes[storeNames.productTitles].value.deserialize(bytes));
}

function decodeRecent(bytes: Uint8Array): readonly RecentProduct[] {
  return storeSerdes[storeNames.userProfiles].value.deserialize(bytes).recent;
}

function textOf(key: Uint8Array): string {
  return stringSerde.deserialize(key);
}

function chunkKeyOf({ key }: PublishedRow): ChunkKey {
  return storeSerdes[storeNames.pairs].key.deserialize(key);
}

function placeOf(row: PublishedRow): ChunkPlace {
  const key = chunkKeyOf(row);
  return { partition: row.partition, relation: relationOfPairRow(rowOfChunkKey(key)), chunk: chunkOfChunkKey(key) };
}
