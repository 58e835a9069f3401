import type { Product } from '../../schemas/index.ts';
import type { CategoryChange } from '../categories/category-change.ts';
import type { CategoryVersions } from '../categories/category-versions.ts';

/** What the task of a product tells others; `products-out` nodes of the topology send each kind its way. */
export type ProductOutput = AcceptedVersion | ChangedCategories | ChangedCategory;

/** Key: product id. */
export interface AcceptedVersion {
  readonly kind: 'version';
  readonly product: Product;
}

/** All categories that the product has had. Key: product id. */
export interface ChangedCategories {
  readonly kind: 'categories';
  readonly versions: CategoryVersions;
}

/** Key: category; the empty one stands for the whole shop. */
export interface ChangedCategory {
  readonly kind: 'change';
  readonly change: CategoryChange;
}
