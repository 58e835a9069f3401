import type { Product } from '../../schemas/index.ts';
import type { KeyValueStore } from '../../topology/index.ts';
import { newProductStats, type ProductStats } from './product-stats.ts';
import { bestTitle, type TitleCount } from './product-titles.ts';
import { popularityLevel, titleWordKey, titleWords } from './title-words.ts';

/** What decides the rows of a product in `title-words`. */
export interface TitleListing {
  /** The one that is shown; null: the product is under no word. */
  readonly title: string | null;
  readonly level: number;
}

export interface ListedRows {
  readonly stats: ProductStats | undefined;
  readonly titles: readonly TitleCount[] | undefined;
  readonly product: Product | undefined;
}

export function titleListing({ stats, titles, product }: ListedRows): TitleListing {
  return { title: shownTitle(product, titles), level: popularityLevel(stats ?? newProductStats()) };
}

/** The title of the catalogue, else the one that most events have named. */
export function shownTitle(product: Product | null | undefined, titles: readonly TitleCount[] | null | undefined) {
  return product?.title ?? bestTitle(titles ?? []);
}

/** Keys of the product's rows. */
export function titleKeys(productId: string, { title, level }: TitleListing): string[] {
  return title === null ? [] : titleWords(title).map((word) => titleWordKey(word, { productId, level }));
}

/** Takes the product from the words that it was under, and puts it under those that it is under now. */
export function relist(
  store: KeyValueStore<string, Uint8Array>,
  productId: string,
  { before, after }: { readonly before: TitleListing; readonly after: TitleListing },
): void {
  if (before.title === after.title && before.level === after.level) return;
  const keys = new Set(titleKeys(productId, after));
  for (const key of titleKeys(productId, before)) if (!keys.has(key)) store.delete(key);
  for (const key of keys) store.put(key, nothing);
}

const nothing = new Uint8Array();
