import { BIGINT, BOOLEAN, type DuckDBType, type DuckDBValue, VARCHAR } from '@duckdb/node-api';
import { isInvalidField, type Product, validateProduct } from '../../schemas/index.ts';
import type { Database } from './database.ts';
import type { Rows } from './rows.ts';

/** A record of the topic `products.history`: the value as it was decoded, null when it could not be. */
export interface LogVersion {
  readonly key: string | null;
  readonly value: unknown;
}

/** What a version says, its time aside: two that say the same have the same text. */
export function saidBy(product: Product): string {
  const { id, title, category, price, listPrice, currency, stars, reviews, bestSeller, imageUrl, url, active } =
    product;
  return JSON.stringify([
    ...[id, title, category, price, listPrice, currency, stars, reviews, bestSeller],
    ...[imageUrl, url, active],
  ]);
}

export function productOf(said: string, updatedAt: number): Product {
  const [id, title, category, price, listPrice, currency, stars, reviews, bestSeller, imageUrl, url, active] =
    JSON.parse(said) as Said;
  const text = { id, title, category, imageUrl, url };
  return { ...text, price, listPrice, currency, stars, reviews, bestSeller, active, updatedAt };
}

type Said = [
  ...[Product['id'], Product['title'], Product['category'], Product['price'], Product['listPrice']],
  ...[Product['currency'], Product['stars'], Product['reviews'], Product['bestSeller']],
  ...[Product['imageUrl'], Product['url'], Product['active']],
];

/**
 * Takes the versions of a catalogue that stand in a log, those of one product in their order. What is none is counted and
 * left out; the clock is not asked.
 *
 *     versions: seq, product_id, category, active, updated_at, said
 */
export async function readVersions(database: Database, versions: Rows<LogVersion>): Promise<number> {
  await database.run(`
    CREATE TABLE versions (
      seq BIGINT, product_id VARCHAR, category VARCHAR, active BOOLEAN, updated_at BIGINT, said VARCHAR)`);
  let invalid = 0;
  await database.append('versions', columnTypes, usable());
  return invalid;

  async function* usable(): AsyncGenerator<DuckDBValue[]> {
    let seq = 0n;
    for await (const { key, value } of versions) {
      const product = validateProduct(value, Number.POSITIVE_INFINITY);
      if (isInvalidField(product) || product.id !== key) {
        invalid += 1;
        continue;
      }
      const { id, category, active, updatedAt } = product;
      yield [(seq += 1n), id, category, active, BigInt(updatedAt), saidBy(product)];
    }
  }
}

const columnTypes: readonly DuckDBType[] = [BIGINT, VARCHAR, VARCHAR, BOOLEAN, BIGINT, VARCHAR];
