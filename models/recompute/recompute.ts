import { type Catalogue, catalogue } from './catalogue.ts';
import { type CategoryMembers, categoryHours, categoryMembers, hourCategories } from './categories.ts';
import { cleanse } from './cleanse.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { createEventTable } from './event-table.ts';
import { Lists, rankedList, type RankedList } from './lists.ts';
import { type LogEvent, readLog } from './log-events.ts';
import { type LogVersion, readVersions } from './log-versions.ts';
import { marginals, pairTotals } from './marginals.ts';
import { pageParameters, type Parameters } from './parameters.ts';
import type { PairTable } from './pair-table.ts';
import { pairs } from './pairs.ts';
import { productUsers, type SparseRegisters } from './product-users.ts';
import { productHours, productStats, productTitles } from './products.ts';
import { userProfiles } from './profiles.ts';
import type * as rows from './rows.ts';
import { cutSessions } from './sessions.ts';
import { type ListedTitle, listedTitles } from './title-words.ts';
import { readUci, type UnusableLine, unusableLines } from './uci-events.ts';
import { categoryShares, type UserProducts, userProducts } from './user-products.ts';
import { categoryFunnels, type SessionWindow, sessionWindows } from './windows.ts';

/** Everything the page asks for, computed from scratch. Keys are what the tables' own functions make (`hourKey` …). */
export interface Recomputation {
  readonly counts: {
    /** Lines of the files, or records of the log. */
    readonly read: number;
    readonly invalid: number;
    readonly duplicates: number;
    readonly accepted: number;
  };
  /** Of the UCI files: which lines are no events. Empty for a log. */
  readonly unusable: readonly UnusableLine[];
  readonly productStats: ReadonlyMap<string, rows.ProductStatsRow>;
  readonly productHours: ReadonlyMap<string, rows.ProductHourRow>;
  readonly productUsers: ReadonlyMap<string, SparseRegisters>;
  readonly productTitles: ReadonlyMap<string, rows.ProductTitlesRow>;
  readonly userProfiles: ReadonlyMap<string, rows.UserProfileRow>;
  readonly userProducts: UserProducts;
  readonly catalogue: Catalogue;
  /** That are shown, by product. */
  readonly titles: ReadonlyMap<string, ListedTitle>;
  readonly categoryHours: ReadonlyMap<string, rows.CategoryHourRow>;
  readonly categories: CategoryMembers;
  readonly sessionWindows: ReadonlyMap<string, SessionWindow>;
  readonly categoryFunnels: ReadonlyMap<string, rows.CategoryFunnelRow>;
  readonly marginals: ReadonlyMap<string, rows.MarginalRow>;
  readonly pairTotals: ReadonlyMap<rows.EventRelation, rows.PairTotalsRow>;
  readonly pairs: PairTable;
  /** What may stand in the list of an item; an item nobody knows has an empty one. */
  list(kind: rows.ListKind, item: string): RankedList;
  /** The score is the number of purchases. */
  bestSellers(): RankedList;
  /** '' is the whole shop. */
  trending(category: string): RankedList;
  /** Categories by their share of a user's interest, which is the score. */
  categoryAffinity(userId: string): RankedList;
}

export interface RecomputeOptions extends DatabaseOptions {
  /** Default: those of the page. */
  readonly parameters?: Parameters;
  /** Told the name of each part as it begins. */
  readonly onStep?: (step: string) => void;
}

/**
 * Recomputes from the UCI files alone (`.csv`, `.csv.br`, `.csv.gz`), in the order of the log: year 1 first.
 *
 *     const expected = await recomputeUci(['year-1.csv.br', 'year-2.csv.br']);
 *     expected.productStats.get('85123A')  // { purchases: …, revenue: … }
 */
export async function recomputeUci(files: readonly string[], options: RecomputeOptions = {}): Promise<Recomputation> {
  await using database = await Database.open(options);
  await createEventTable(database);
  options.onStep?.('read');
  await readVersions(database, []);
  await readUci(database, files);
  const unusable = await unusableLines(database);
  const [read] = await database.row<[number]>('SELECT count(*)::DOUBLE FROM judged');
  await database.run('DROP TABLE judged');
  return await recompute(database, { read, invalid: unusable.length, unusable, invalidVersions: 0 }, options);
}

export interface LogOptions extends RecomputeOptions {
  /** Of the catalogue, those of a product in their order. Default none. */
  readonly versions?: rows.Rows<LogVersion>;
}

/** Recomputes from the records of a log, each partition in its order: what `millrace verify` does to a data folder. */
export async function recomputeLog(events: rows.Rows<LogEvent>, options: LogOptions = {}): Promise<Recomputation> {
  await using database = await Database.open(options);
  await createEventTable(database);
  options.onStep?.('read');
  const invalidVersions = await readVersions(database, options.versions ?? []);
  const { read, invalid } = await readLog(database, events);
  return await recompute(database, { read, invalid, unusable: [], invalidVersions }, options);
}

interface Input {
  readonly read: number;
  readonly invalid: number;
  readonly unusable: readonly UnusableLine[];
  readonly invalidVersions: number;
}

async function recompute(database: Database, input: Input, options: RecomputeOptions): Promise<Recomputation> {
  const step = <Result>(name: string, compute: (database: Database) => Promise<Result>): Promise<Result> => {
    options.onStep?.(name);
    return compute(database);
  };
  const { parameters = pageParameters } = options;
  const duplicates = await step('cleanse', () => cleanse(database, parameters.dedupeHorizonMs));
  const [accepted] = await database.row<[number]>('SELECT count(*)::DOUBLE FROM events');
  const stores = {
    productStats: await step('product statistics', productStats),
    productHours: await step('product hours', productHours),
    productUsers: await step('product users', productUsers),
    productTitles: await step('product titles', productTitles),
    userProfiles: await step('user profiles', userProfiles),
    userProducts: await step('user products', userProducts),
    catalogue: await step('catalogue', () => catalogue(database, input.invalidVersions)),
  };
  const titles = listedTitles(stores.productStats, stores.productTitles, stores.catalogue);
  await step('categories', hourCategories);
  const ofCategories = {
    categoryHours: await step('category hours', categoryHours),
    sessionWindows: await step('session windows', () => sessionWindows(database, parameters.sessionGapMs)),
    categoryFunnels: await step('funnels', categoryFunnels),
    categories: categoryMembers(stores.productStats, stores.catalogue.products),
  };
  await step('sessions', () => cutSessions(database, parameters.sessionGapMs));
  await database.run('DROP TABLE events; DROP TABLE hour_categories; DROP TABLE window_events');
  const model = {
    marginals: await step('marginals', marginals),
    pairTotals: await step('pair totals', pairTotals),
    pairs: await step('pairs', () => pairs(database, parameters.pairPositions)),
  };
  const { products } = stores.catalogue;
  const { tops } = ofCategories.categories;
  const lists = new Lists({ ...model, productStats: stores.productStats, catalogue: products });
  const { read, invalid, unusable } = input;
  const counts = { read, invalid, duplicates, accepted };
  return {
    ...{ counts, unusable, ...stores, titles, ...ofCategories, ...model },
    list: (kind, item) => lists.of(kind, item),
    bestSellers: () => tops.get('')?.bestSellers ?? rankedList([]),
    trending: (category) => tops.get(category)?.trending ?? rankedList([]),
    categoryAffinity: (userId) => categoryShares(stores.userProducts.get(userId) ?? [], products),
  };
}
