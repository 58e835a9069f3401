import type { Interaction, Product } from '../../schemas/index.ts';
import type { KeyValueStore, Record, StateStore } from '../../topology/index.ts';
import type { CategoryChange } from '../categories/category-change.ts';
import { CategoryProcessor } from '../categories/category-processor.ts';
import { categoryAt, currentCategory, type CategoryVersions } from '../categories/category-versions.ts';
import type { CleanseCounter } from '../cleanse/cleanse-processor.ts';
import { eventIdentity } from '../cleanse/event-identity.ts';
import { EventsSeen } from '../cleanse/events-seen.ts';
import { countsOf } from '../hours/counts.ts';
import { monthKey, monthsBetween, utcHour } from '../hours/month-of-hours.ts';
import type { Chunk } from '../packed/chunk.ts';
import type { ChunkKey } from '../packed/chunk-key.ts';
import { PairProcessor, partitionOfItem, partitionsOfStep } from '../pairs/pair-processor.ts';
import type { PairStep } from '../pairs/pair-step.ts';
import type { PairTotals } from '../pairs/pair-totals.ts';
import { CategoryHoursChanges } from '../products/category-hours-changes.ts';
import { productChange } from '../products/product-change.ts';
import { countsByHour } from '../products/product-hours.ts';
import type { ProductStats } from '../products/product-stats.ts';
import type { TitleCount } from '../products/product-titles.ts';
import { relist, titleListing } from '../products/title-listing.ts';
import { FunnelDifference } from '../sessions/funnel.ts';
import type { Session } from '../sessions/session.ts';
import { sessionKey } from '../sessions/session-key.ts';
import type { SessionWindows } from '../sessions/session-window.ts';
import type { ShopParameters } from '../shop-parameters.ts';
import { storeNames } from '../store-names.ts';
import { runDetached, type Detached } from './detached-processor.ts';
import { PairRemoval } from './pair-removal.ts';
import { ProductRows } from './product-rows.ts';
import { replaySessions } from './session-replay.ts';
import { redoWindows } from './window-redo.ts';

/**
 * Forgets users as if they had never been seen: afterwards every store says what it would say had their events not come
 * (docs/architecture/erasure.md). The topology stands still meanwhile, at a commit.
 *
 *     clean events ──1. take─> whose they are: their products, their sessions
 *     clean events ──2. see──> all other events of these products and sessions
 *                    3. apply: rows of the products made anew · sessions run with them and without them · the rest by difference
 *
 * Item numbers of `pair-items` stay: they name products, not people.
 */
export class UserErasure {
  readonly #users: ReadonlySet<string>;
  readonly #options: ErasureOptions;
  readonly #products = new Map<string, ProductRows>();
  readonly #sessions = new Set<string>();
  /** By partition of `interactions.clean`: what is to be forgotten, and all events of the sessions it is in. */
  readonly #taken: Interaction[][];
  readonly #ofSessions: Interaction[][];

  constructor(users: ReadonlySet<string>, options: ErasureOptions) {
    this.#users = users;
    this.#options = options;
    this.#taken = Array.from({ length: options.partitions }, () => []);
    this.#ofSessions = Array.from({ length: options.partitions }, () => []);
  }

  isOfUsers({ userId }: Interaction): boolean {
    return userId !== null && this.#users.has(userId);
  }

  /** First: every event of the users, in the order of the log. */
  take(event: Interaction, partition: number): void {
    this.#taken[partition]!.push(event);
    if (!this.#products.has(event.productId)) this.#products.set(event.productId, new ProductRows());
    this.#sessions.add(sessionKey(event));
  }

  get events(): number {
    return this.accepted.reduce((sum, count) => sum + count, 0);
  }

  /** How many events of the users had been accepted, by partition. */
  get accepted(): readonly number[] {
    return this.#taken.map(({ length }) => length);
  }

  /** Then: every clean event, theirs too, in the order of the log. */
  see(event: Interaction, partition: number): void {
    if (this.#sessions.has(sessionKey(event))) this.#ofSessions[partition]!.push(event);
    if (!this.isOfUsers(event)) this.#products.get(event.productId)?.add(event);
  }

  /** Last: changes the stores. `refused`: duplicates and invalid events of the users, by partition of `interactions`. */
  async apply(stores: ErasureStores, refused: readonly RefusedCounts[]): Promise<void> {
    for (const [partition, taken] of this.#taken.entries()) {
      await this.#forgetSeen(stores, partition, taken, refused[partition]!);
      await this.#redoSessions(stores, partition);
    }
    const funnels = new FunnelDifference();
    const { sessionGapMs } = this.#options.parameters;
    for (const [partition, events] of this.#ofSessions.entries()) {
      const remaining = events.filter((event) => !this.isOfUsers(event));
      const of = {
        windows: stores.get<string, SessionWindows>(storeNames.sessionWindows, partition),
        categories: stores.get<string, CategoryVersions>(storeNames.sessionCategories, partition),
        sessionsOf: stores.get<string, Uint8Array>(storeNames.productSessions, partition),
      };
      await redoWindows(of, { remaining, gapMs: sessionGapMs }, new Set(events.map(sessionKey)), funnels);
    }
    await this.#redoProducts(stores, funnels);
    for (const user of this.#users) {
      const partition = this.#owner(user);
      stores.get<string, unknown>(storeNames.userProfiles, partition).delete(user);
      stores.get<string, unknown>(storeNames.userProducts, partition).delete(user);
    }
  }

  async #forgetSeen(
    stores: ErasureStores,
    partition: number,
    taken: readonly Interaction[],
    { duplicates, invalid }: RefusedCounts,
  ): Promise<void> {
    const seen = new EventsSeen(
      stores.get<ChunkKey, Chunk>(storeNames.eventsSeen, partition),
      this.#options.parameters.dedupeHorizonMs,
    );
    await seen.load(taken.map((event) => ({ identity: eventIdentity(event), timestamp: event.timestamp })));
    for (const { timestamp } of taken) seen.forget(timestamp);
    const counters = stores.get<CleanseCounter, number>(storeNames.cleanseCounters, partition);
    for (const [counter, count] of Object.entries({ accepted: taken.length, duplicates, invalid })) {
      if (count > 0) await subtract(counters, counter as CleanseCounter, count);
    }
  }

  async #redoSessions(stores: ErasureStores, partition: number): Promise<void> {
    const events = this.#ofSessions[partition]!;
    const { parameters } = this.#options;
    const before = await replaySessions(events, parameters);
    const remaining = events.filter((event) => !this.isOfUsers(event));
    const after = await replaySessions(remaining, parameters);

    const sessions = stores.get<string, Session>(storeNames.sessions, partition);
    for (const key of before.sessions.keys()) {
      const session = after.sessions.get(key);
      if (session === undefined) sessions.delete(key);
      else sessions.put(key, session);
    }
    const totals = stores.get<string, PairTotals>(storeNames.pairTotals, partition);
    for (const [relation, were] of before.totals) {
      const are = after.totals.get(relation);
      const row = (await totals.get(relation))!;
      row.sessions -= were.sessions - (are?.sessions ?? 0);
      for (const counts of ['rep', 'repN'] as const) {
        were[counts].forEach((count, k) => (row[counts][k]! -= count - (are?.[counts][k] ?? 0)));
      }
      if (row.sessions === 0) totals.delete(relation);
      else totals.put(relation, row);
    }
    await this.#addSteps(stores, after.steps);
    const removal = new PairRemoval();
    removal.add(before.steps);
    await removal.apply(
      (owner) => ({
        items: stores.get(storeNames.pairItems, owner),
        marginals: stores.get(storeNames.marginals, owner),
        pairs: stores.get(storeNames.pairs, owner),
      }),
      this.#options.partitions,
    );
  }

  async #addSteps(stores: ErasureStores, steps: readonly PairStep[]): Promise<void> {
    const { partitions } = this.#options;
    for (let partition = 0; partition < partitions; partition += 1) {
      const records = steps
        .filter((step) => partitionsOfStep(step, partitions).includes(partition))
        .map((value) => ({ key: value.item, value, timestamp: 0, headers: [] }));
      if (records.length === 0) continue;
      await runDetached(new PairProcessor(partitions), records, storesAt(stores, partition));
    }
  }

  async #redoProducts(stores: ErasureStores, funnels: FunnelDifference): Promise<void> {
    const changes: Record<string, CategoryChange>[] = [];
    const tell = (key: string, value: CategoryChange) => changes.push({ key, value, timestamp: 0, headers: [] });
    const categories = new Map<string, CategoryVersions>();
    for (const [productId, rows] of this.#products) {
      const partition = this.#owner(productId);
      const product = await stores.get<string, Product>(storeNames.products, partition).get(productId);
      await putRows(stores, { partition, productId, rows, product });
      const versions = await stores
        .get<string, CategoryVersions>(storeNames.productCategories, partition)
        .get(productId);
      if (versions !== undefined) categories.set(productId, versions);
      const category = currentCategory(versions ?? []);
      const change = productChange(productId, rows.stats, product);
      tell('', rows.stats === undefined ? { kind: 'gone', productId } : change);
      if (category !== null) tell(category, change);
    }
    for (const [category, change] of this.#hoursLess(categories)) tell(category, change);
    for (const [category, change] of funnels.take()) tell(category, change);
    await this.#tellCategories(stores, changes);
  }

  #hoursLess(categories: ReadonlyMap<string, CategoryVersions>): Iterable<readonly [string, CategoryChange]> {
    const hours = new CategoryHoursChanges();
    for (const event of this.#taken.flat()) {
      const { startMs } = utcHour(event.timestamp);
      const category = categoryAt(categories.get(event.productId) ?? [], startMs);
      if (category !== null && countsByHour(event)) hours.add(category, startMs, countsOf(event), -1);
    }
    return hours.take();
  }

  async #tellCategories(stores: ErasureStores, changes: readonly Record<string, CategoryChange>[]): Promise<void> {
    for (let partition = 0; partition < this.#options.partitions; partition += 1) {
      const own = changes.filter(({ key }) => this.#owner(key) === partition);
      if (own.length === 0) continue;
      await runDetached(new CategoryProcessor(), own, storesAt(stores, partition));
    }
  }

  /** Keys of products, users and categories are partitioned alike. */
  #owner(key: string): number {
    return partitionOfItem(key, this.#options.partitions);
  }
}

export interface ErasureOptions {
  readonly partitions: number;
  /** Those that the state was made with. */
  readonly parameters: ShopParameters;
}

/** The stores of the topology that stands still. */
export interface ErasureStores {
  get<K, V>(name: string, partition: number): KeyValueStore<K, V> & StateStore;
}

export interface RefusedCounts {
  duplicates: number;
  invalid: number;
}

function storesAt(stores: ErasureStores, partition: number): Detached<unknown> {
  return { partition, store: (name) => stores.get(name, partition) };
}

interface RemadeProduct {
  readonly partition: number;
  readonly productId: string;
  readonly rows: ProductRows;
  readonly product: Product | undefined;
}

async function putRows(stores: ErasureStores, { partition, productId, rows, product }: RemadeProduct): Promise<void> {
  const stats = stores.get<string, ProductStats>(storeNames.productStats, partition);
  const titles = stores.get<string, TitleCount[]>(storeNames.productTitles, partition);
  const hours = stores.get<string, unknown>(storeNames.productHours, partition);
  const before = (await stats.get(productId))!;
  for (const month of monthsBetween(before.firstSeenMs, before.lastSeenMs)) {
    const key = monthKey(productId, month);
    putOrDelete(hours, key, rows.months.get(key));
  }
  relist(stores.get<string, Uint8Array>(storeNames.titleWords, partition), productId, {
    before: titleListing({ stats: before, titles: await titles.get(productId), product }),
    after: titleListing({ stats: rows.stats, titles: rows.titles, product }),
  });
  putOrDelete(stats, productId, rows.stats);
  putOrDelete(stores.get(storeNames.productUsers, partition), productId, rows.users);
  putOrDelete(titles, productId, rows.titles.length === 0 ? undefined : rows.titles);
}

function putOrDelete<V>(store: KeyValueStore<string, V>, key: string, row: V | undefined): void {
  if (row === undefined) store.delete(key);
  else store.put(key, row);
}

async function subtract<K>(counters: KeyValueStore<K, number>, key: K, count: number): Promise<void> {
  const left = ((await counters.get(key)) ?? 0) - count;
  if (left === 0) counters.delete(key);
  else counters.put(key, left);
}
