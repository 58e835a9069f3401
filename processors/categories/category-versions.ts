import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';

/**
 * The categories that a product has had, by the time from which on each holds (docs/architecture/shop.md, "The
 * catalogue"): ascending by `fromMs`, neighbours differ.
 *
 *     bytes: { fromMs varint | 0, or 1 and category text } × versions
 */
export type CategoryVersions = readonly CategoryVersion[];

export interface CategoryVersion {
  readonly fromMs: number;
  /** null: in no category. */
  readonly category: string | null;
}

/** UTC start of the hour of a time. */
export function hourOf(timestampMs: number): number {
  return timestampMs - (timestampMs % hourMs);
}

/**
 * The category at a time: that of the last version from before the hour of it, or from its very start. Before the first
 * version the first one's category, because a catalogue that was loaded today says the best that is known of yesterday.
 */
export function categoryAt(versions: CategoryVersions, timestampMs: number): string | null {
  if (versions.length === 0) return null;
  const hour = hourOf(timestampMs);
  let at = versions.length - 1;
  while (at > 0 && versions[at]!.fromMs > hour) at -= 1;
  return versions[at]!.category;
}

/** The category that the catalogue gives the product now. */
export function currentCategory(versions: CategoryVersions): string | null {
  return versions.at(-1)?.category ?? null;
}

/**
 * The versions with one more, which is not earlier than the last: at the same time it takes the last one's place, with the
 * same category as the one before it is none. The same array when nothing changes.
 */
export function withVersion(versions: CategoryVersions, next: CategoryVersion): CategoryVersions {
  const last = versions.at(-1);
  if (last === undefined) return [next];
  if (last.category === next.category) return versions;
  if (last.fromMs < next.fromMs) return [...versions, next];
  const before = versions.slice(0, -1);
  return before.at(-1) !== undefined && before.at(-1)!.category === next.category ? before : [...before, next];
}

export const categoryVersionsSerde: Serde<CategoryVersions> = {
  name: 'category-versions',
  serialize(versions) {
    writer.begin();
    for (const { fromMs, category } of versions) {
      writer.varint(fromMs).byte(category === null ? 0 : 1);
      if (category !== null) writer.text(category);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('category-versions', bytes);
    const versions: CategoryVersion[] = [];
    while (!reader.atEnd) {
      versions.push({ fromMs: reader.varint(), category: reader.byte() === 0 ? null : reader.text() });
    }
    return versions;
  },
  sizeOf: (versions) => 64 + versions.length * 80,
};

export const hourMs = 3_600_000;
const writer = new ByteWriter();
