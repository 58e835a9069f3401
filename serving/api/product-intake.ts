import { shopTopics } from '../../processors/index.ts';
import { isInvalidField, validateProduct, type Product, type Serde } from '../../schemas/index.ts';
import { productRecord } from '../../sources/index.ts';
import type { Intake } from './record-intake.ts';

/**
 * Versions of products into `products.history`, keyed by product. One without `updatedAt` holds from its arrival on. Sent
 * again it says the same as the one before it, and changes nothing (docs/architecture/shop.md, "The catalogue").
 */
export function productIntake(serde: Serde<Product>, partitions: number): Intake {
  return {
    kind: 'products',
    route: 'POST /v1/products',
    one: 'a product',
    topic: shopTopics.productsHistory,
    unknownField: 'is not a field of a product',
    judge(value, { nowMs }) {
      const product = validateProduct(value, nowMs);
      if (isInvalidField(product)) return product;
      return { record: productRecord(product, serde, partitions), identity: undefined };
    },
  };
}
