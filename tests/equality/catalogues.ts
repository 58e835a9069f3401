import { fileURLToPath } from 'node:url';
import type { Product } from '../../schemas/index.ts';
import { openAmazonProducts, type EventSource, type ProductSource } from '../../sources/index.ts';

/** 4,960 products of the Amazon catalogue, as the repository ships them. */
export function openSample(updatedAtMs: number): Promise<ProductSource> {
  const path = new URL('../../data/amazon-products-2023/amazon_products_us_sample_4960.csv.br', import.meta.url);
  return openAmazonProducts(fileURLToPath(path), { updatedAtMs });
}

export async function productsOf(source: ProductSource): Promise<Product[]> {
  const all: Product[] = [];
  for await (const { products } of source.batches()) all.push(...products);
  return all;
}

export function sourceOf(name: string, products: readonly Product[]): ProductSource {
  const lines = products.map((_, at) => at + 1);
  const batch = { products, lines, rejects: [], unusable: {}, bytesRead: 0 };
  return {
    name,
    bytesTotal: undefined,
    async *batches() {
      yield await Promise.resolve(batch);
    },
  };
}

/**
 * A catalogue for a file of events that comes without one: a category of a dozen for all but every ninth product, in the order
 * in which they come first. What they say after that is `laterVersions`.
 */
export async function catalogueOf(events: EventSource, updatedAt: number): Promise<Product[]> {
  const ids = new Set<string>();
  for await (const batch of events.batches()) for (const { productId } of batch.events) ids.add(productId);
  return [...ids].map((id, at) => ({
    ...{ id, title: `Product ${id}`, category: at % 9 === 0 ? null : `c${at % 12}`, price: 100 + at, listPrice: null },
    ...{
      currency: null,
      stars: null,
      reviews: 0,
      bestSeller: false,
      imageUrl: null,
      url: null,
      active: true,
      updatedAt,
    },
  }));
}

/** Of every third product a version with the category of its neighbour, of every tenth one that it is no longer sold. */
export function laterVersions(products: readonly Product[], updatedAt: number): Product[] {
  return products.flatMap((product, at) => {
    if (at % 10 === 0) return [{ ...product, active: false, updatedAt }];
    if (at % 3 === 0) return [{ ...product, category: products[at - 1]!.category, updatedAt }];
    // Says what was said before, or comes from before it: both are counted and change nothing.
    if (at % 3 === 1) return [{ ...product, updatedAt }];
    return at % 5 === 0 ? [{ ...product, title: 'From before', updatedAt: product.updatedAt - 1 }] : [];
  });
}
