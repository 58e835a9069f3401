import type { Interaction } from '../../schemas/index.ts';
import type { KeyValueStore } from '../../topology/index.ts';
import { keyRange, twoPartKey } from '../binary/two-part-key.ts';
import type { CategoryVersions } from '../categories/category-versions.ts';
import type { FunnelDifference } from '../sessions/funnel.ts';
import { sessionKey } from '../sessions/session-key.ts';
import { anySession, productsOf } from '../sessions/session-window-processor.ts';
import { countsForWindow, withEvent, type SessionWindows } from '../sessions/session-window.ts';

export interface WindowStores {
  readonly windows: KeyValueStore<string, SessionWindows>;
  readonly categories: KeyValueStore<string, CategoryVersions>;
  readonly sessionsOf: KeyValueStore<string, Uint8Array>;
}

/**
 * Makes the windows of some session keys anew from the events that remain of them, and adds to `difference` what their
 * funnels lose and gain.
 */
export async function redoWindows(
  { windows, categories, sessionsOf }: WindowStores,
  { remaining, gapMs }: { readonly remaining: readonly Interaction[]; readonly gapMs: number },
  keys: ReadonlySet<string>,
  difference: FunnelDifference,
): Promise<void> {
  const rows = new Map<string, SessionWindows>();
  for (const event of remaining) {
    const key = sessionKey(event);
    if (countsForWindow(event)) rows.set(key, withEvent(rows.get(key) ?? [], event, gapMs));
  }
  await windows.load(keys);
  for (const key of keys) {
    const before = windows.getLoaded(key);
    if (before === undefined) continue;
    const after = rows.get(key) ?? [];
    const products = productsOf([before]);
    await categories.load(products);
    const categoriesOf = (productId: string): CategoryVersions => categories.getLoaded(productId) ?? [];
    difference.add(before, categoriesOf, -1);
    difference.add(after, categoriesOf, 1);
    if (after.length > 0) windows.put(key, after);
    else windows.delete(key);
    const left = productsOf([after]);
    for (const productId of products) {
      if (left.has(productId)) continue;
      sessionsOf.delete(twoPartKey(productId, key));
      if (!(await hasSessions(sessionsOf, productId))) sessionsOf.delete(anySession(productId));
    }
  }
}

async function hasSessions(sessionsOf: KeyValueStore<string, Uint8Array>, productId: string): Promise<boolean> {
  for await (const [row] of sessionsOf.range(keyRange(productId))) if (row !== anySession(productId)) return true;
  return false;
}
