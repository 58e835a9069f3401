import type { Product } from '../../schemas/index.ts';
import type { ProductChange } from '../categories/category-change.ts';
import { newProductStats, type ProductStats } from './product-stats.ts';

/** What categories are told of a product; without a row of either kind it has had no event, or is not in the catalogue. */
export function productChange(
  productId: string,
  stats: ProductStats | undefined,
  product: Product | undefined,
): ProductChange {
  const { service, purchases, trend } = stats ?? newProductStats();
  return { kind: 'product', productId, active: product?.active !== false, service, purchases, trend };
}
