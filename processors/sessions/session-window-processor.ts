import type { Interaction } from '../../schemas/index.ts';
import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import { keyRange, parseTwoPartKey, twoPartKey } from '../binary/two-part-key.ts';
import type { FunnelChange } from '../categories/category-change.ts';
import type { CategoryVersions } from '../categories/category-versions.ts';
import { storeNames } from '../store-names.ts';
import { FunnelDifference } from './funnel.ts';
import { sessionKey } from './session-key.ts';
import { bitOf, countsForWindow, withEvent, type SessionWindows } from './session-window.ts';

/**
 * Clean interactions by session key, and the categories of all products → session windows, and what they change in the
 * funnels of categories (key out: the category).
 *
 * Categories are told of differences, once a commit: of the rows that events have changed, and then of those that a
 * product with other categories is in, found by `product-sessions`. So it does not matter which came first.
 *
 *     event ────> row with one more event; how it was before is kept
 *     versions ─> wait for the commit
 *     commit:     changed rows, before and after ─> versions, some products at a time: their rows, before and after
 */
export class SessionWindowProcessor implements Processor<string, Interaction | CategoryVersions, string, FunnelChange> {
  readonly #gapMs: number;
  #context!: ProcessorContext<string, FunnelChange>;
  #windows!: KeyValueStore<string, SessionWindows>;
  #categories!: KeyValueStore<string, CategoryVersions>;
  #sessionsOf!: KeyValueStore<string, Uint8Array>;
  /** Rows that events have changed since the commit, as they were at it. */
  readonly #before = new Map<string, SessionWindows>();
  readonly #versions = new Map<string, CategoryVersions>();

  constructor(gapMs: number) {
    this.#gapMs = gapMs;
  }

  init(context: ProcessorContext<string, FunnelChange>): void {
    this.#context = context;
    this.#windows = context.getStateStore(storeNames.sessionWindows);
    this.#categories = context.getStateStore(storeNames.sessionCategories);
    this.#sessionsOf = context.getStateStore(storeNames.productSessions);
  }

  async load(records: readonly Record<string, Interaction | CategoryVersions>[]): Promise<void> {
    const keys = new Set<string>();
    for (const { value } of records) if (isEvent(value) && countsForWindow(value)) keys.add(sessionKey(value));
    await this.#windows.load(keys);
  }

  process({ key, value }: Record<string, Interaction | CategoryVersions>): void {
    if (!isEvent(value)) this.#versions.set(key, value);
    else if (countsForWindow(value)) this.#add(sessionKey(value), value);
  }

  async beforeCommit(): Promise<void> {
    const difference = new FunnelDifference();
    for (const rows of inParts([...this.#before], rowsAtOnce)) {
      const changed = rows.map(([key, before]) => ({ before, after: this.#windows.getLoaded(key) ?? none }));
      await this.#categories.load(productsOf(changed.map(({ after }) => after)));
      for (const { before, after } of changed) {
        difference.add(before, this.#categoriesOf, -1);
        difference.add(after, this.#categoriesOf, 1);
      }
    }
    this.#before.clear();
    for (const versions of inParts([...this.#versions], productsAtOnce)) await this.#change(versions, difference);
    this.#versions.clear();
    const timestamp = this.#context.currentStreamTimeMs();
    for (const [key, value] of difference.take()) this.#context.forward({ key, value, timestamp, headers: [] });
  }

  #add(key: string, event: Interaction): void {
    const before = this.#windows.getLoaded(key) ?? none;
    if (!this.#before.has(key)) this.#before.set(key, before);
    this.#windows.put(key, withEvent(before, event, this.#gapMs));
    const { productId } = event;
    if (bitOf(event) === 0 || isIn(before, productId)) return;
    this.#sessionsOf.put(twoPartKey(productId, key), nothing);
    this.#sessionsOf.put(anySession(productId), nothing);
  }

  /** The rows that these products are in, before they have these categories and after. */
  async #change(
    versions: readonly (readonly [string, CategoryVersions])[],
    difference: FunnelDifference,
  ): Promise<void> {
    const keys = new Set<string>();
    await this.#sessionsOf.load(versions.map(([productId]) => anySession(productId)));
    for (const [productId] of versions) {
      // A range costs fifty times a point, and most products of a large catalogue have not been seen yet.
      if (this.#sessionsOf.getLoaded(anySession(productId)) === undefined) continue;
      for await (const key of this.#sessionKeysOf(productId)) keys.add(key);
    }
    await this.#categories.load(versions.map(([productId]) => productId));
    const parts = [...inParts([...keys], rowsAtOnce)];
    for (const part of parts) await this.#count(part, difference, -1);
    for (const [productId, categories] of versions) this.#categories.put(productId, categories);
    for (const part of parts) await this.#count(part, difference, 1);
  }

  async #count(keys: readonly string[], difference: FunnelDifference, sign: 1 | -1): Promise<void> {
    await this.#windows.load(keys);
    const rows = keys.map((key) => this.#windows.getLoaded(key) ?? none);
    await this.#categories.load(productsOf(rows));
    for (const windows of rows) difference.add(windows, this.#categoriesOf, sign);
  }

  async *#sessionKeysOf(productId: string): AsyncIterable<string> {
    for await (const [row] of this.#sessionsOf.range(keyRange(productId))) {
      const [, key] = parseTwoPartKey(row);
      if (key !== '') yield key;
    }
  }

  readonly #categoriesOf = (productId: string): CategoryVersions =>
    this.#categories.getLoaded(productId) ?? noCategories;
}

/** The row that says that a product has others; no session key is empty. */
export function anySession(productId: string): string {
  return twoPartKey(productId, '');
}

function isEvent(value: Interaction | CategoryVersions): value is Interaction {
  return !Array.isArray(value);
}

function isIn(windows: SessionWindows, productId: string): boolean {
  return windows.some(({ products }) => products.some((product) => product.productId === productId));
}

export function productsOf(rows: readonly SessionWindows[]): Set<string> {
  const products = new Set<string>();
  for (const windows of rows)
    for (const window of windows) for (const { productId } of window.products) products.add(productId);
  return products;
}

function* inParts<T>(all: readonly T[], size: number): Iterable<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}

const nothing = new Uint8Array();
const none: SessionWindows = [];
const noCategories: CategoryVersions = [];
/** What is held in memory at once while differences are made. */
const rowsAtOnce = 1_000;
const productsAtOnce = 100;
