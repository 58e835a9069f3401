import type { Product } from '../../schemas/index.ts';

/**
 * The rows that are compared: one type a store of `docs/architecture/shop.md`, as plain data, so that neither side has
 * to know how the other keeps it. Both the recomputation and whatever is checked against it speak these.
 */

/** An exact integer; the two sides may use either, `5` equals `5n`. */
export type Integer = number | bigint;

export type EventRelation = 'viewed' | 'bought' | 'cart';
export type Relation = EventRelation | 'viewed-bought';

export const eventRelations = ['viewed', 'bought', 'cart'] as const satisfies readonly EventRelation[];
export const relations = [...eventRelations, 'viewed-bought'] as const satisfies readonly Relation[];

export interface ProductStatsRow {
  readonly productId: string;
  readonly views: Integer;
  readonly carts: Integer;
  readonly purchases: Integer;
  readonly returns: Integer;
  readonly favorites: Integer;
  readonly removes: Integer;
  readonly ratings: Integer;
  readonly quantity: Integer;
  /** In 1/10,000 of the currency. */
  readonly revenue: Integer;
  readonly firstSeenMs: Integer;
  readonly lastSeenMs: Integer;
  readonly service: boolean;
  readonly trend: Trend;
}

/** Two decayed sums as of the product's last view, cart or purchase; all 0 without one. */
export interface Trend {
  readonly refMs: Integer;
  readonly fast: number;
  readonly slow: number;
}

export interface ProductHourRow {
  readonly productId: string;
  /** UTC hours since 1970-01-01T00:00. */
  readonly hour: Integer;
  readonly views: Integer;
  readonly carts: Integer;
  readonly purchases: Integer;
  readonly returns: Integer;
  readonly quantity: Integer;
  readonly revenue: Integer;
}

/** The last accepted version. */
export type ProductRow = Product;

export interface CatalogueCounts {
  readonly accepted: Integer;
  readonly late: Integer;
  readonly same: Integer;
  readonly invalid: Integer;
}

export interface ProductCategoriesRow {
  readonly productId: string;
  /** Ascending by time, neighbours differ. */
  readonly categories: readonly CategoryVersion[];
}

export interface CategoryVersion {
  readonly fromMs: Integer;
  readonly category: string | null;
}

export interface CategoryHourRow extends Omit<ProductHourRow, 'productId'> {
  readonly category: string;
}

/** A product in its current category; under the empty category one that has had an event. */
export interface CategoryProductRow {
  readonly category: string;
  readonly productId: string;
  readonly active: boolean;
  readonly service: boolean;
  readonly purchases: Integer;
  readonly trend: Trend;
}

export interface CategoryTopsRow {
  readonly category: string;
  readonly products: Integer;
  readonly active: Integer;
  /** The first 200 (of the empty category: 400) by the fast sum of their trends; the score is `trendRank`. */
  readonly byFast: readonly ScoredItem[];
  /** As many by purchases, which are the score. */
  readonly bestSellers: readonly ScoredItem[];
}

export interface CategoryFunnelRow {
  readonly category: string;
  /** UTC days since 1970-01-01. */
  readonly day: Integer;
  /** Windows by what was done in them: viewed 1, carted 2, purchased 4, added up; at the sum less one. */
  readonly windows: readonly Integer[];
}

export interface SessionWindowRow {
  readonly sessionKey: string;
  readonly startMs: Integer;
  readonly endMs: Integer;
  readonly userId: string | null;
  readonly views: Integer;
  readonly carts: Integer;
  readonly purchases: Integer;
  readonly returns: Integer;
  readonly quantity: Integer;
  readonly revenue: Integer;
  /** In any order. */
  readonly products: readonly WindowProduct[];
}

export interface WindowProduct {
  readonly productId: string;
  /** UTC hours since 1970-01-01T00:00. */
  readonly hour: Integer;
  /** viewed 1, carted 2, purchased 4, added up. */
  readonly bits: number;
}

export interface UserProductRow {
  readonly userId: string;
  readonly productId: string;
  readonly refMs: Integer;
  readonly weight: number;
}

export interface ProductUsersRow {
  readonly productId: string;
  /** 4,096 registers, each the greatest rank it has seen, 0 when none. */
  readonly registers: Uint8Array;
}

export interface TitleCount {
  readonly title: string;
  readonly count: Integer;
  /** The least timestamp it came with. */
  readonly firstSeenMs: Integer;
}

export interface ProductTitlesRow {
  readonly productId: string;
  /** The one that is shown. */
  readonly title: string | null;
  /** All of them, in any order. */
  readonly titles: readonly TitleCount[];
}

/** A product under a word of the title that is shown. */
export interface TitleWordRow {
  readonly word: string;
  readonly productId: string;
  /** By powers of four: 17.. of purchases, without any 1.. of views, 0 without either. */
  readonly level: number;
}

export interface RecentProduct {
  readonly productId: string;
  readonly timestamp: Integer;
  /** Compared where both sides name it. */
  readonly eventId?: string | undefined;
}

export interface UserProfileRow {
  readonly userId: string;
  readonly views: Integer;
  readonly carts: Integer;
  readonly purchases: Integer;
  readonly returns: Integer;
  readonly quantity: Integer;
  readonly spend: Integer;
  readonly firstSeenMs: Integer;
  readonly lastSeenMs: Integer;
  /** Newest first, at most 20. */
  readonly recent: readonly RecentProduct[];
}

export interface MarginalRow {
  readonly relation: EventRelation;
  readonly item: string;
  readonly sessions: Integer;
}

export interface PairTotalsRow {
  readonly relation: EventRelation;
  readonly sessions: Integer;
  /** Ten numbers, position 1 first. */
  readonly rep: readonly Integer[];
  readonly repN: readonly Integer[];
}

export interface PairRow {
  readonly relation: Relation;
  readonly item: string;
  readonly neighbour: string;
  readonly weight: Integer;
  readonly count: Integer;
}

export interface ScoredItem {
  readonly id: string;
  readonly score: number;
}

export type ListKind = 'similar' | 'bought-together';

export type Rows<Row> = AsyncIterable<Row> | Iterable<Row>;

/**
 * What is checked against the recomputation: a running system, or a data folder. Whoever has one writes an adapter.
 *
 * Each method gives the rows of one store, in any order, every key once; what is kept per partition (pair totals) is
 * added up by the adapter. A row that says nothing (an hour of zeros, no register set, no title) may be there or not.
 * The lists are optional: a data folder has stores but nobody who answers; what is left out is named in the comparison.
 */
export interface StateReader {
  productStats(): Rows<ProductStatsRow>;
  productHours(): Rows<ProductHourRow>;
  productUsers(): Rows<ProductUsersRow>;
  productTitles(): Rows<ProductTitlesRow>;
  titleWords(): Rows<TitleWordRow>;
  userProfiles(): Rows<UserProfileRow>;
  userProducts(): Rows<UserProductRow>;
  catalogueCounts(): Promise<CatalogueCounts>;
  products(): Rows<ProductRow>;
  productCategories(): Rows<ProductCategoriesRow>;
  categoryHours(): Rows<CategoryHourRow>;
  categoryProducts(): Rows<CategoryProductRow>;
  categoryTops(): Rows<CategoryTopsRow>;
  sessionWindows(): Rows<SessionWindowRow>;
  categoryFunnels(): Rows<CategoryFunnelRow>;
  marginals(): Rows<MarginalRow>;
  pairTotals(): Rows<PairTotalsRow>;
  pairRows(): Rows<PairRow>;
  /** The answer a user would get, best first; nothing excluded. An item without one has an empty list. */
  list?(kind: ListKind, item: string, limit: number): Promise<readonly ScoredItem[]>;
  bestSellers?(limit: number): Promise<readonly ScoredItem[]>;
  /** `category` '' is the whole shop. */
  trending?(category: string, limit: number): Promise<readonly ScoredItem[]>;
  /** A user's first categories by their share of his interest; the share is the score. */
  categoryAffinity?(userId: string, limit: number): Promise<readonly ScoredItem[]>;
}
