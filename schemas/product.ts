import { readFileSync } from 'node:fs';
import type { AvroSchema } from './registry.ts';
import { clip, isCurrency, isIntegerWithin, isText, shown, wantsText, type InvalidField } from './validated-field.ts';

/**
 * A version of a product in the catalogue: the value of the topics `products.history` (every version, kept for ever) and
 * `products` (the latest of each product, compacted). The record key is the product's id. The schema is `product.avsc`.
 */
export interface Product {
  /** 1..200 characters, as `productId` of an interaction. */
  readonly id: string;
  readonly title: string | null;
  /** One category's name, as people read it; it is the category's id as well. 1..200 characters. */
  readonly category: string | null;
  /** In 1/10,000 of the currency, above 0; null: unknown. */
  readonly price: number | null;
  /** Before discounts, as `price`. */
  readonly listPrice: number | null;
  /** ISO 4217, three capitals. */
  readonly currency: string | null;
  /** Mean rating in 1/100 stars, 1..500; null: unrated. */
  readonly stars: number | null;
  readonly reviews: number;
  readonly bestSeller: boolean;
  readonly imageUrl: string | null;
  readonly url: string | null;
  /** False: no longer sold, never recommended. */
  readonly active: boolean;
  /** From when on this version holds, ms since epoch. Not in the future by more than 5 minutes. */
  readonly updatedAt: number;
}

export const productSchema = JSON.parse(readFileSync(new URL('./product.avsc', import.meta.url), 'utf8')) as AvroSchema;

export const productLimits = {
  idCharsMax: 200,
  titleCharsMax: 4096,
  urlCharsMax: 4096,
  priceMax: Number.MAX_SAFE_INTEGER - 1,
  reviewsMax: 1e12,
  /** How far a producer's clock may be ahead of ours. */
  aheadMsMax: 5 * 60_000,
} as const;

/**
 * The one gate for catalogue entries, shared by every way in.
 *
 * Gives a plain object with all fields, in the schema's order; a field that was left out has the schema's default, and
 * a missing `updatedAt` is `nowMs`. Otherwise the first field that breaks a rule. Nothing is coerced; an unknown field
 * is refused.
 *
 *     validateProduct({ id: 'p1', price: 'x' }, now)   // { field: 'price', reason: 'wants … or null, found "x"' }
 */
export function validateProduct(value: unknown, nowMs: number): Product | InvalidField {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { field: '', reason: `wants an object, found ${shown(value)}` };
  }
  const input = value as Readonly<Record<keyof Product, unknown>>;
  for (const field of Object.keys(input)) {
    if (!fields.has(field)) return { field: clip(field), reason: 'is not a field of a product' };
  }
  const { idCharsMax, titleCharsMax, urlCharsMax, priceMax, reviewsMax, aheadMsMax } = productLimits;
  const { id, title = null, category = null, imageUrl = null, url = null } = input;
  if (!isText(id, 1, idCharsMax)) return wantsText('id', `text of 1..${idCharsMax} characters`, id);
  for (const [field, text, charsMax] of [
    ['title', title, titleCharsMax],
    ['category', category, idCharsMax],
    ['imageUrl', imageUrl, urlCharsMax],
    ['url', url, urlCharsMax],
  ] as const) {
    if (text !== null && !isText(text, 1, charsMax)) {
      return wantsText(field, `text of 1..${charsMax} characters or null`, text);
    }
  }
  const { price = null, listPrice = null, currency = null, stars = null } = input;
  for (const [field, amount] of [
    ['price', price],
    ['listPrice', listPrice],
  ] as const) {
    if (amount !== null && !isIntegerWithin(amount, 1, priceMax)) {
      return { field, reason: `wants a safe integer of 1/10,000 above 0, or null, found ${shown(amount)}` };
    }
  }
  if (currency !== null && !isCurrency(currency)) {
    return { field: 'currency', reason: `wants three capitals or null, found ${shown(currency)}` };
  }
  if (stars !== null && !isIntegerWithin(stars, 1, 500)) {
    return { field: 'stars', reason: `wants an integer of 1/100 stars, 1..500, or null, found ${shown(stars)}` };
  }
  const { reviews = 0, bestSeller = false, active = true, updatedAt = nowMs } = input;
  if (!isIntegerWithin(reviews, 0, reviewsMax)) {
    return { field: 'reviews', reason: `wants an integer 0..${reviewsMax}, found ${shown(reviews)}` };
  }
  if (typeof bestSeller !== 'boolean') {
    return { field: 'bestSeller', reason: `wants true or false, found ${shown(bestSeller)}` };
  }
  if (typeof active !== 'boolean') return { field: 'active', reason: `wants true or false, found ${shown(active)}` };
  if (!isIntegerWithin(updatedAt, 0, Number.MAX_SAFE_INTEGER)) {
    return { field: 'updatedAt', reason: `wants integer ms since epoch, found ${shown(updatedAt)}` };
  }
  if (updatedAt > nowMs + aheadMsMax) {
    return {
      field: 'updatedAt',
      reason: `wants at most ${aheadMsMax} ms ahead of the clock, found ${updatedAt - nowMs} ms`,
    };
  }
  return {
    id,
    title: title as string | null,
    category: category as string | null,
    price: price as number | null,
    listPrice: listPrice as number | null,
    currency,
    stars: stars as number | null,
    reviews,
    bestSeller,
    imageUrl: imageUrl as string | null,
    url: url as string | null,
    active,
    updatedAt,
  };
}

/** In the schema's order. */
export const productFields = [
  'id',
  'title',
  'category',
  'price',
  'listPrice',
  'currency',
  'stars',
  'reviews',
  'bestSeller',
  'imageUrl',
  'url',
  'active',
  'updatedAt',
] as const satisfies readonly (keyof Product)[];
const fields: ReadonlySet<string> = new Set(productFields);
