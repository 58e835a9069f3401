/** What catalogues in CSV share: rows that become products, and fields that cannot be used. */
import { isInvalidField, MillraceError, type Product, validateProduct } from '../../schemas/index.ts';
import { type CsvPass, readCsv } from '../csv-file.ts';
import type { CsvShape } from '../csv-rows.ts';
import { fileBytes } from '../source-bytes.ts';
import type { ProductBatch } from './product-source.ts';

export interface CheckedProduct {
  readonly product: Product;
  /** Fields of it that could not be used and are unknown, for `ProductBatch.unusable`. */
  readonly unusable: readonly string[];
}

export async function* readProducts(
  path: string,
  pass: CsvPass<CheckedProduct>,
  shape: CsvShape,
): AsyncGenerator<ProductBatch, void, undefined> {
  for await (const { items, ...rest } of readCsv(fileBytes(path), pass, shape)) {
    const counts: Record<string, number> = {};
    for (const { unusable } of items) for (const field of unusable) counts[field] = (counts[field] ?? 0) + 1;
    yield { products: items.map(({ product }) => product), unusable: counts, ...rest };
  }
}

/** @throws MillraceError `INVALID_ARGUMENT` for a time that no product can have. */
export function requireUpdatedAt(updatedAtMs: number, nowMs: number): void {
  const probe = validateProduct({ id: 'x', updatedAt: updatedAtMs }, nowMs);
  if (isInvalidField(probe)) throw new MillraceError('INVALID_ARGUMENT', `${probe.field} ${probe.reason}`);
}

/** Trimmed, null when empty, and a copy: a field is a slice that keeps its whole chunk alive. */
export function copied(text: string): string | null {
  const trimmed = text.trim();
  return trimmed === '' ? null : Buffer.from(trimmed, 'utf8').toString('utf8');
}
