import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { parseTwoPartKey, twoPartKey } from '../binary/two-part-key.ts';
import type { ProductTrend } from '../products/product-trend.ts';
import type { ProductChange } from './category-change.ts';

/**
 * A row of the store `category-products`: a product that is in a category now, or, under the empty category, that has had
 * an event.
 *
 *     key:    two-part key of category and product
 *     bytes:  | active + 2 · service u8 | purchases varint | refMs varint | fast f64 | slow f64 |
 */
export interface CategoryProduct {
  readonly active: boolean;
  readonly service: boolean;
  readonly purchases: number;
  readonly trend: ProductTrend;
}

export function categoryProductOf({ active, service, purchases, trend }: ProductChange): CategoryProduct {
  return { active, service, purchases, trend };
}

export function categoryProductKey(category: string, productId: string): string {
  return twoPartKey(category, productId);
}

export function parseCategoryProductKey(key: string): { readonly category: string; readonly productId: string } {
  const [category, productId] = parseTwoPartKey(key);
  return { category, productId };
}

export const categoryProductSerde: Serde<CategoryProduct> = {
  name: 'category-product',
  serialize({ active, service, purchases, trend }) {
    writer
      .begin()
      .byte((active ? 1 : 0) | (service ? 2 : 0))
      .varint(purchases);
    return writer.varint(trend.refMs).double(trend.fast).double(trend.slow).finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('category-product', bytes);
    const flags = reader.byte();
    const purchases = reader.varint();
    const trend = { refMs: reader.varint(), fast: reader.double(), slow: reader.double() };
    reader.end();
    return { active: (flags & 1) !== 0, service: (flags & 2) !== 0, purchases, trend };
  },
  sizeOf: () => 160,
};

const writer = new ByteWriter();
