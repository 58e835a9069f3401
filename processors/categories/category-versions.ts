/**
 * The categories that a product has had, by the time from which on each holds (docs/architecture/shop-widened.md, "The
 * catalogue"): ascending by `fromMs`, neighbours differ.
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

export const hourMs = 3_600_000;
