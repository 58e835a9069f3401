import type { Counts } from '../hours/counts.ts';
import type { ProductTrend } from '../products/product-trend.ts';

/**
 * What reaches the task that keeps a category: the value of the topics `category-products` and `category-sessions`. The
 * record key is the category; the empty key stands for the whole shop and gets `product` changes only.
 */
export type CategoryChange = HoursChange | FunnelChange | ProductChange | ProductGone;

/** Adds to an hour of the category; any number may be negative. From the product's task. */
export interface HoursChange extends Readonly<Counts> {
  readonly kind: 'hours';
  /** UTC start of the hour. */
  readonly hourMs: number;
}

/** Adds to a day of the category's funnel. From the session's task. */
export interface FunnelChange {
  readonly kind: 'funnel';
  /** UTC start of the day on which the window starts. */
  readonly dayMs: number;
  /** Which counter: viewed 1, carted 2, purchased 4, added up. */
  readonly bits: number;
  readonly windows: number;
}

/** Replaces what is known of a product that is in the category now. From the product's task. */
export interface ProductChange {
  readonly kind: 'product';
  readonly productId: string;
  readonly active: boolean;
  readonly service: boolean;
  readonly purchases: number;
  readonly trend: ProductTrend;
}

/** The product is in this category no longer. From the product's task. */
export interface ProductGone {
  readonly kind: 'gone';
  readonly productId: string;
}
