import {
  isInvalidField,
  validateProduct,
  type Interaction,
  type InvalidField,
  type Product,
} from '../../schemas/index.ts';

/** What a version of a product is beside the last accepted one (docs/architecture/shop.md, "The catalogue"). */
export type VersionVerdict = 'accepted' | 'late' | 'same';

/** Keys of the store `catalogue-counters`. */
export const catalogueCounters = ['accepted', 'late', 'same', 'invalid'] as const;

export type CatalogueCounter = (typeof catalogueCounters)[number];

export function judgeVersion(last: Product | undefined, next: Product): VersionVerdict {
  if (last === undefined) return 'accepted';
  if (next.updatedAt < last.updatedAt) return 'late';
  return saysTheSame(last, next) ? 'same' : 'accepted';
}

function saysTheSame(a: Product, b: Product): boolean {
  return (
    a.title === b.title &&
    a.category === b.category &&
    a.price === b.price &&
    a.listPrice === b.listPrice &&
    a.currency === b.currency &&
    a.stars === b.stars &&
    a.reviews === b.reviews &&
    a.bestSeller === b.bestSeller &&
    a.imageUrl === b.imageUrl &&
    a.url === b.url &&
    a.active === b.active
  );
}

/** All rules of a version but the clock's, which is no fact of the log; and that its key is its id. */
export function invalidVersion(key: string | null, version: Product): InvalidField | undefined {
  const checked = validateProduct(version, Infinity);
  if (isInvalidField(checked)) return checked;
  if (key === checked.id) return undefined;
  return { field: 'id', reason: `wants to be the record's key '${key}', found '${checked.id}'` };
}

/** Events and versions of a product reach its task as one stream. */
export function isVersion(value: Interaction | Product): value is Product {
  return 'updatedAt' in value;
}
