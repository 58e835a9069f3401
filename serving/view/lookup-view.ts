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
import { Column } from './column.ts';
import { DemandCache } from './demand-cache.ts';
import { Demands, type Fetch, type Missing } from './demands.ts';
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
 * | ids, marginals and flags of all items           | dense columns                                   |
 * | pair rows, titles, users' last products          | bounded, fetched on demand: see `readThrough`   |
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
  readonly #n = eventRelations.map(() => new Column());
  readonly #totalRows = eventRelations.map(() => new Map<number, PairTotals>());
  readonly #totals = new Overlay<TotalsPlace, PairTotals>(({ relation, partition }, totals) =>
    this.#totalRows[relation]!.set(partition, totals),
  );
  /** 1 for what has had an event. */
  readonly #seen = new Column();
  readonly #services = new Column();
  /** 1 for what the catalogue says is inactive. */
  readonly #inactive = new Column();
  readonly #titles: DemandCache<number>;
  readonly #categories: DemandCache<number>;
  readonly #tops: DemandCache<string>;
  /** By the row's bytes: hundreds of entries, read by every list that is filled up. */
  readonly #decodedTops = new WeakMap<Uint8Array, CategoryTops>();
  readonly #users: DemandCache<string>;
  readonly #demands: Demands;
  readonly #fetchedLayers: readonly (Layer & { forget(): void })[];
  readonly #layers: readonly Layer[];
  #missing: Missing = {
    items: new Set(),
    titles: new Set(),
    categories: new Set(),
    tops: new Set(),
    users: new Set(),
  };
  #publications = 0;
  #version = 0;
  /**
   * Rows whose item number has not been explained yet, for their `pair-item-names` row comes later in the same publication.
   * Publishers send names first, so it is empty but for a publisher that doesn't.
   */
  readonly #unexplained: PublishedRow[] = [];
  readonly #listeners: (() => void)[] = [];
  #asOf: readonly SourceOffset[] = [];
  #committedAtMs = 0;
  #sums: (PairTotals | undefined)[] = [];

  constructor(options: LookupViewOptions) {
    const { bytesMax = defaultViewBytesMax } = options;
    this.#stores = options.stores.map((name) => this.#stagerOf(name));
    this.#fillers = options.stores.map((name) => this.#fillerOf(name));
    this.#ownerOf = options.ownerOf;
    this.#pairs = new PairRows(this.#index, bytesMax * shares.pairs);
    this.#rowCache = new RowCache(this.#pairs, (bytesMax * shares.rows) / entryBytes);
    this.#titles = new DemandCache(bytesMax * shares.titles);
    this.#categories = new DemandCache(bytesMax * shares.categories);
    this.#tops = new DemandCache(bytesMax * shares.tops);
    this.#users = new DemandCache(bytesMax * shares.users);
    this.#fetchedLayers = [this.#pairs, this.#titles, this.#categories, this.#tops, this.#users];
    const columns = [...this.#n, this.#seen, this.#services, this.#inactive];
    this.#layers = [...columns, this.#totals, ...this.#fetchedLayers];
    this.#queue = new StagingQueue({
      stage: (row, whole) => this.#to(this.#stores, row, whole),
      apply: (last) => this.#apply(last),
      fill: (row) => this.#to(this.#fillers, row, false),
      settle: (max) => this.#layers.every((layer) => layer.settle(max)),
    });
    this.#demands = new Demands({
      fetch: options.fetch,
      caches: {
        items: this.#pairs,
        titles: this.#titles,
        categories: this.#categories,
        tops: this.#tops,
        users: this.#users,
      },
      id: (item) => this.id(item),
      arrived: (slice, filled) => this.#queue.push({ kind: 'answer', slice, filled: () => this.#filled(filled) }),
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
    const columns = [...this.#n, this.#seen, this.#services, this.#inactive];
    return {
      ids: this.#index.byteLength,
      columns: columns.reduce((sum, { byteLength }) => sum + byteLength, 0),
      pairs: this.#pairs.usedBytes,
      titles: this.#titles.byteLength,
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
    return item !== undefined && this.#seen.get(item) > 0 ? item : undefined;
  }

  title(item: number): string | null {
    const row = this.#titles.get(item);
    if (row === undefined) this.#missing.titles.add(item);
    return row === undefined || row === null ? null : decodeTitle(row);
  }

  /** Neither a service, a charge such as postage, nor inactive in the catalogue. */
  isRecommended(item: number): boolean {
    return this.#services.get(item) === 0 && this.#inactive.get(item) === 0;
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
    if (this.#pairs.isHeld(item)) return this.#rowCache.read(item, relation);
    this.#missing.items.add(item);
    return undefined;
  }

  n(relation: EventRelation, item: number): number {
    return this.#n[relationCode(relation)]!.get(item);
  }

  N(relation: EventRelation): number {
    return this.#sumOf(relation).sessions;
  }

  reminders(relation: EventRelation): Reminders {
    return this.#sumOf(relation);
  }

  #sumOf(relation: EventRelation): PairTotals {
    const code = relationCode(relation);
    this.#totals.settle(Infinity);
    return (this.#sums[code] ??= sumOfTotals([...this.#totalRows[code]!.values()]));
  }

  #tried<T>(read: () => T): T | typeof notHere {
    const missing: readonly Set<unknown>[] = Object.values(this.#missing);
    for (const of of missing) of.clear();
    const value = read();
    return missing.every(({ size }) => size === 0) ? value : notHere;
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

  #filled(settle: () => void): void {
    settle();
    this.#version += 1;
  }

  #to(receivers: readonly Receive[], row: PublishedRow, whole: boolean): void {
    const receive = receivers[row.store];
    if (receive === undefined) {
      throw new MillraceError(
        'INTERNAL',
        `A publication names store ${row.store}, but ${this.#stores.length} are published.`,
        { store: row.store },
      );
    }
    receive(row, whole);
  }

  #apply({ asOf, committedAtMs, whole }: Publication): void {
    for (const row of this.#unexplained.splice(0)) this.#to(this.#stores, row, whole);
    if (this.#unexplained.length > 0) {
      const { partition } = this.#unexplained[0]!;
      throw new MillraceError(
        'INTERNAL',
        `A publication names an item number that 'pair-item-names' of partition ${partition} does not have.`,
        {
          partition,
          rows: this.#unexplained.length,
        },
      );
    }
    for (const layer of this.#layers) layer.apply();
    if (whole) for (const cache of this.#fetchedLayers) cache.forget();
    this.#publications += 1;
    this.#version += 1;
    this.#asOf = asOf;
    this.#committedAtMs = committedAtMs;
    this.#sums = [];
    for (const listener of this.#listeners) listener();
  }

  #stagerOf(store: string): Receive {
    switch (store) {
      case storeNames.pairItemNames:
        return (row, whole) => this.#stageItem(row, whole);
      case storeNames.pairs:
        return (row) => this.#stageChunk(row);
      case storeNames.marginals:
        return (row) => this.#stageMarginal(row);
      case storeNames.pairTotals:
        return (row) => this.#stageTotals(row);
      case storeNames.productStats:
        return (row) => this.#stageStats(row);
      case storeNames.products:
        return (row) => this.#stageProduct(row);
      case storeNames.productTitles:
        return (row) => this.#stageTitles(row);
      case storeNames.productCategories:
        return ({ key, value }) => this.#categories.stage(this.#index.add(textOf(key)), value);
      case storeNames.categoryTops:
        return ({ key, value }) => this.#tops.stage(textOf(key), value);
      case storeNames.userProfiles:
        return (row) => this.#stageProfile(row);
      default:
        return () => {};
    }
  }

  #stageItem({ partition, key, value }: PublishedRow, whole: boolean): void {
    if (value === null) return;
    const { key: keySerde, value: valueSerde } = storeSerdes[storeNames.pairItemNames];
    const id = valueSerde.deserialize(value);
    const item = this.#index.add(id);
    this.#index.setNumber(partition, keySerde.deserialize(key), item);
    // A commit names an item when it numbers it: it has no rows but those that come now.
    if (!whole && partition === this.#ownerOf(id)) this.#pairs.begin(item);
  }

  #stageChunk(row: PublishedRow): void {
    const numbered = rowOfChunkKey(chunkKeyOf(row));
    const item = this.#explained(row, numbered);
    if (item !== undefined) this.#pairs.stage(item, placeOf(row), row.value);
  }

  #fillChunk(row: PublishedRow): void {
    const item = this.#index.ofNumber(row.partition, itemOfPairRow(rowOfChunkKey(chunkKeyOf(row))));
    if (item !== undefined && row.value !== null) this.#pairs.fill(item, placeOf(row), row.value);
  }

  /** Stores whose rows are asked for. */
  #fillerOf(store: string): Receive {
    switch (store) {
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

  #stageMarginal(row: PublishedRow): void {
    const { key: keySerde, value: valueSerde } = storeSerdes[storeNames.marginals];
    const numbered = keySerde.deserialize(row.key);
    const item = this.#explained(row, numbered);
    if (item === undefined) return;
    const sessions = row.value === null ? 0 : valueSerde.deserialize(row.value);
    this.#n[relationCode(relationOfPairRow(numbered))]!.stage(item, sessions);
  }

  /** The item of a pair row; undefined when the row has to wait. What comes behind it waits too, to keep the order. */
  #explained(row: PublishedRow, numbered: number): number | undefined {
    const item = this.#index.ofNumber(row.partition, itemOfPairRow(numbered));
    if (item !== undefined && this.#unexplained.length === 0) return item;
    this.#unexplained.push(row);
    return undefined;
  }

  #stageTotals({ partition, key, value }: PublishedRow): void {
    const relation = storeSerdes[storeNames.pairTotals].key.deserialize(key);
    const totals = value === null ? emptyPairTotals() : storeSerdes[storeNames.pairTotals].value.deserialize(value);
    this.#totals.stage({ relation: relationCode(relation as EventRelation), partition }, totals);
  }

  #stageStats({ key, value }: PublishedRow): void {
    const { key: keySerde, value: valueSerde } = storeSerdes[storeNames.productStats];
    const item = this.#index.add(keySerde.deserialize(key));
    const stats = value === null ? undefined : valueSerde.deserialize(value);
    this.#seen.stage(item, stats === undefined ? 0 : 1);
    this.#services.stage(item, stats?.service === true ? 1 : 0);
  }

  #stageProduct({ key, value }: PublishedRow): void {
    this.#inactive.stage(this.#index.add(textOf(key)), value === null || isActiveRow(value) ? 0 : 1);
  }

  #stageTitles({ key, value }: PublishedRow): void {
    const item = this.#index.add(storeSerdes[storeNames.productTitles].key.deserialize(key));
    this.#titles.stage(item, value);
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
const shares = { pairs: 0.5, rows: 0.2, titles: 0.1, users: 0.1, categories: 0.05, tops: 0.05 } as const;
const entryBytes = 12;

/** Questions to the host thread for one look-up: a user's products, their rows, the titles of what they lead to. */
const roundsMax = 8;
const notHere = Symbol('not here');

type Receive = (row: PublishedRow, whole: boolean) => void;

/** Something in which a publication is staged (overlay.ts). */
interface Layer {
  apply(): void;
  settle(max: number): boolean;
}

interface TotalsPlace {
  readonly relation: EventRelationCode;
  readonly partition: number;
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
