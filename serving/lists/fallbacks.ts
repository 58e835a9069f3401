import { topsMax, trendingIn } from '../../processors/index.ts';
import type { LookupView } from '../view/lookup-view.ts';

/**
 * What fills up a list (docs/architecture/shop.md, "Scores, computed when looked up"), in this order: what trends in the
 * category of the newest seed that has one, what sells best there, what trends overall, what sells best overall. Made as far
 * as it is asked for; items come again when they are in several of them.
 */
export function* fallbacks(view: LookupView, newestFirst: readonly number[]): Generator<Fallback> {
  for (const seed of newestFirst) {
    const category = view.category(seed);
    if (category === null) continue;
    yield* ofCategory(view, category, { trending: 'trending-in-category', bestSellers: 'best-sellers-in-category' });
    break;
  }
  yield* ofCategory(view, '', { trending: 'trending', bestSellers: 'best-sellers' });
}

export const fallbackSources = [
  'trending-in-category',
  'best-sellers-in-category',
  'trending',
  'best-sellers',
] as const;

type FallbackSource = (typeof fallbackSources)[number];

export interface Fallback {
  readonly source: FallbackSource;
  readonly item: number;
  readonly score: number;
  /** As JSON. */
  readonly reason: string;
}

function* ofCategory(
  view: LookupView,
  category: string,
  sources: { readonly trending: FallbackSource; readonly bestSellers: FallbackSource },
): Generator<Fallback> {
  const tops = view.tops(category);
  if (tops === undefined) return;
  const shop = category === '' ? tops : view.tops('');
  for (const { productId, score } of trendingIn(category, tops, shop?.lastMs ?? tops.lastMs)) {
    const item = view.product(productId);
    if (item !== undefined) yield { source: sources.trending, item, score, reason: '{"kind":"trending"}' };
  }
  for (const { productId, purchases } of tops.bestSellers.entries.slice(0, topsMax(category))) {
    const item = view.product(productId);
    const reason = `{"kind":"best-seller","count":${purchases}}`;
    if (item !== undefined) yield { source: sources.bestSellers, item, score: purchases, reason };
  }
}
