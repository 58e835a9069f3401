import {
  affinityProducts,
  categoryAffinity,
  currentCategory,
  storeNames,
  type CategoryShare,
  type CategoryVersions,
  type UserProducts,
} from '../../processors/index.ts';
import type { Answers, Request } from './messages.ts';

/** Asks for rows of stores, within whatever time the asker has. */
export type AskMany = (request: Extract<Request, { kind: 'getMany' }>) => Promise<Answers['getMany']>;

/** A user's first categories by interest, in the categories that products have now (processors/users/category-affinity.ts). */
export async function userAffinity(ask: AskMany, products: UserProducts): Promise<readonly CategoryShare[]> {
  const weighted = affinityProducts(products);
  if (weighted.length === 0) return [];
  const store = storeNames.productCategories;
  const { values } = await ask({ kind: 'getMany', keys: weighted.map(({ productId: key }) => ({ store, key })) });
  const categories = new Map(
    weighted.map(({ productId }, at) => [productId, currentCategory((values[at] as CategoryVersions | null) ?? [])]),
  );
  return categoryAffinity(weighted, (productId) => categories.get(productId) ?? null);
}
