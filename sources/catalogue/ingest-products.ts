import { partitionForKey } from '../../log/index.ts';
import type { Product, Serde } from '../../schemas/index.ts';
import { ingestBatches, type BatchOptions, type IngestProgress } from '../ingest.ts';
import type { ProductSource } from './product-source.ts';

export interface IngestProductsOptions extends BatchOptions {
  readonly source: ProductSource;
  readonly serde: Serde<Product>;
}

/**
 * Reads a catalogue to its end into the log: every row is a version of a product or a dead letter. Returns when all of it is
 * durable; fails as `ingest` does.
 */
export async function ingestProducts({ source, serde, ...options }: IngestProductsOptions): Promise<IngestProgress> {
  const { partitions } = options.target;
  return await ingestBatches(source, options, ({ products, rejects }) => ({
    records: products.map((product) => productRecord(product, serde, partitions)),
    rejects,
  }));
}

/** A version for `products.history`, keyed by the product's id; its timestamp is `updatedAt`. */
export function productRecord(product: Product, serde: Serde<Product>, partitions: number) {
  const key = Buffer.from(product.id);
  const partition = partitionForKey(key, partitions);
  return { partition, key, value: serde.serialize(product), timestamp: product.updatedAt };
}
