import {
  bestTitle,
  chunkOfChunkKey,
  eventRelations,
  itemOfPairRow,
  pairRow,
  relationCode,
  relationOfPairRow,
  rowOfChunkKey,
  storeNames,
  storeSerdes,
  type EventRelation,
  type PairRow,
  type PairTotals,
  type PairView,
  type RecentProduct,
  type Relation,
  type Reminders,
} from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import type { Publication, SourceOffset } from '../host/messages.ts';
import type { PublishedRow } from '../host/published-rows.ts';
import { bestSellers, type BestSeller } from './best-sellers.ts';
import { Cell } from './cell.ts';
import { Clock } from './clock.ts';
import { Column } from './column.ts';
import { ItemIndex } from './item-index.ts';
import { PairChunks } from './pair-chunks.ts';
import { RowCache } from './row-cache.ts';
import { StagingQueue } from './staging-queue.ts';
import { sumOfTotals } from './sum-of-totals.ts';

/**
 * The HTTP thread's replica of what look-ups need, fed by the host thread's publications, so that a look-up never
 * crosses threads (docs/architecture/serving.md).
 *
 *     publication slices ─> StagingQueue ─> stage(row): a second version beside the one that readers see
 *                                       └─> apply():   clock.applied += 1, and readers see all of it
 *
 * Whatever is read between two turns of the event loop belongs to one publication, the one that `asOf` names. Items
 * have dense indexes of this view's own; they stay the same as long as the view lives.
 */
export class LookupView implements PairView {
  readonly #clock = new Clock();
  readonly #index = new ItemIndex();
  readonly #stores: readonly ((row: PublishedRow) => void)[];
  readonly #queue: StagingQueue;
  readonly #rowCache: RowCache;
  /** By pair row, of indexes. */
  readonly #rows: (PairChunks | undefined)[] = [];
  readonly #n = eventRelations.map(() => new Column(this.#clock));
  readonly #totals = eventRelations.map(() => new Map<number, Cell<PairTotals>>());
  /** 1 + purchases; 0 where there are no statistics of the item. */
  readonly #purchases = new Column(this.#clock);
  readonly #services = new Column(this.#clock);
  readonly #titles: (Cell<string | null> | undefined)[] = [];
  readonly #users = new Map<string, Cell<readonly RecentProduct[]>>();
  /**
   * Rows whose item number has not been explained yet, for their `pair-item-names` row comes later in the same publication.
   * Publishers send names first, so it is empty but for a publisher that doesn't.
   */
  readonly #unexplained: PublishedRow[] = [];
  readonly #listeners: (() => void)[] = [];
  #asOf: readonly SourceOffset[] = [];
  #committedAtMs = 0;
  #sums: (PairTotals | undefined)[] = [];
  #bestSellers: readonly BestSeller[] | undefined;

  constructor(options: LookupViewOptions) {
    this.#stores = options.stores.map((name) => this.#stagerOf(name));
    this.#rowCache = new RowCache(this.#index, options.cachedRowEntriesMax ?? 4_000_000);
    this.#queue = new StagingQueue({ stage: (row) => this.#stage(row), apply: (last) => this.#apply(last) });
  }

  /** Takes a slice; it shows with the rest of its publication, a few turns of the event loop after the last one. */
  receive(publication: Publication): void {
    this.#queue.push(publication);
  }

  /** Takes a slice and shows it before it returns, for those who have no event loop to keep free. */
  receiveNow(publication: Publication): void {
    this.#queue.push(publication);
    this.#queue.drain();
  }

  /** Called each time readers begin to see a publication. */
  onApplied(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Publications applied so far; 0: the view is empty still. */
  get version(): number {
    return this.#clock.applied;
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

  get users(): number {
    return this.#users.size;
  }

  id(item: number): string {
    return this.#index.id(item);
  }

  /** The index of a product that has had an event. */
  product(id: string): number | undefined {
    const item = this.#index.find(id);
    return item !== undefined && this.#purchases.get(item) > 0 ? item : undefined;
  }

  title(item: number): string | null {
    return this.#titles[item]?.read(decodeTitle) ?? null;
  }

  purchases(item: number): number {
    return Math.max(0, this.#purchases.get(item) - 1);
  }

  /** A charge such as postage: never recommended. */
  isService(item: number): boolean {
    return this.#services.get(item) !== 0;
  }

  /** A user's last products, latest first; undefined for an unknown user. */
  recent(userId: string): readonly RecentProduct[] | undefined {
    return this.#users.get(userId)?.read(decodeRecent);
  }

  /** Most bought first, services left out; `bestSellersMax` of them. Computed once a publication, when asked for. */
  bestSellers(): readonly BestSeller[] {
    this.#bestSellers ??= bestSellers({
      items: this.items,
      limit: bestSellersMax,
      purchases: (item) => (this.isService(item) ? 0 : this.purchases(item)),
      id: (item) => this.id(item),
    });
    return this.#bestSellers;
  }

  row(relation: Relation, item: number): PairRow | undefined {
    const chunks = this.#rows[pairRow(item, relationCode(relation))];
    return chunks === undefined ? undefined : this.#rowCache.read(chunks);
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
    return (this.#sums[code] ??= sumOfTotals([...this.#totals[code]!.values()].map((cell) => cell.read(decodeTotals))));
  }

  #stage(row: PublishedRow): void {
    const stage = this.#stores[row.store];
    if (stage === undefined) {
      throw new MillraceError(
        'INTERNAL',
        `A publication names store ${row.store}, but ${this.#stores.length} are published.`,
        { store: row.store },
      );
    }
    stage(row);
  }

  #apply({ asOf, committedAtMs }: Publication): void {
    for (const row of this.#unexplained.splice(0)) this.#stage(row);
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
    this.#clock.applied += 1;
    this.#asOf = asOf;
    this.#committedAtMs = committedAtMs;
    this.#sums = [];
    this.#bestSellers = undefined;
    for (const listener of this.#listeners) listener();
  }

  #stagerOf(store: string): (row: PublishedRow) => void {
    switch (store) {
      case storeNames.pairItemNames:
        return (row) => this.#stageItem(row);
      case storeNames.pairs:
        return (row) => this.#stageChunk(row);
      case storeNames.marginals:
        return (row) => this.#stageMarginal(row);
      case storeNames.pairTotals:
        return (row) => this.#stageTotals(row);
      case storeNames.productStats:
        return (row) => this.#stageStats(row);
      case storeNames.productTitles:
        return (row) => this.#stageTitles(row);
      case storeNames.userProfiles:
        return (row) => this.#stageProfile(row);
      default:
        return () => {};
    }
  }

  #stageItem({ partition, key, value }: PublishedRow): void {
    if (value === null) return;
    const { key: keySerde, value: valueSerde } = storeSerdes[storeNames.pairItemNames];
    this.#index.setNumber(partition, keySerde.deserialize(key), this.#index.add(valueSerde.deserialize(value)));
  }

  #stageChunk(row: PublishedRow): void {
    const key = storeSerdes[storeNames.pairs].key.deserialize(row.key);
    const numbered = rowOfChunkKey(key);
    const item = this.#explained(row, numbered);
    if (item === undefined) return;
    const place = pairRow(item, relationCode(relationOfPairRow(numbered)));
    const chunks = (this.#rows[place] ??= new PairChunks(row.partition, this.#clock));
    chunks.stage(chunkOfChunkKey(key), row.value);
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
    const cells = this.#totals[relationCode(relation as EventRelation)]!;
    let cell = cells.get(partition);
    if (cell === undefined) cells.set(partition, (cell = new Cell(this.#clock)));
    cell.stage(value);
  }

  #stageStats({ key, value }: PublishedRow): void {
    const { key: keySerde, value: valueSerde } = storeSerdes[storeNames.productStats];
    const item = this.#index.add(keySerde.deserialize(key));
    const stats = value === null ? undefined : valueSerde.deserialize(value);
    this.#purchases.stage(item, stats === undefined ? 0 : 1 + stats.purchases);
    this.#services.stage(item, stats?.service === true ? 1 : 0);
  }

  #stageTitles({ key, value }: PublishedRow): void {
    const item = this.#index.add(storeSerdes[storeNames.productTitles].key.deserialize(key));
    (this.#titles[item] ??= new Cell(this.#clock)).stage(value);
  }

  #stageProfile({ key, value }: PublishedRow): void {
    const user = storeSerdes[storeNames.userProfiles].key.deserialize(key);
    let cell = this.#users.get(user);
    if (cell === undefined) this.#users.set(user, (cell = new Cell(this.#clock)));
    cell.stage(value);
  }
}

export interface LookupViewOptions {
  /** Names behind the store numbers of published rows; stores that look-ups don't need are passed over. */
  readonly stores: readonly string[];
  /** Bound on the pair rows kept decoded, in entries of 12 bytes. Default 4,000,000. */
  readonly cachedRowEntriesMax?: number;
}

/** A list's 100, and as many as a question can take out of it. */
export const bestSellersMax = 400;

function decodeTitle(bytes: Uint8Array): string | null {
  return bestTitle(storeSerdes[storeNames.productTitles].value.deserialize(bytes));
}

function decodeRecent(bytes: Uint8Array): readonly RecentProduct[] {
  return storeSerdes[storeNames.userProfiles].value.deserialize(bytes).recent;
}

function decodeTotals(bytes: Uint8Array): PairTotals {
  return storeSerdes[storeNames.pairTotals].value.deserialize(bytes);
}
