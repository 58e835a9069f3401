import type { Interaction } from '../../schemas/index.ts';

/** Two decayed sums over a product's events, both as of `refMs` (docs/architecture/shop.md, "Product statistics"). */
export interface ProductTrend {
  readonly refMs: number;
  readonly fast: number;
  readonly slow: number;
}

export const noTrend: ProductTrend = { refMs: 0, fast: 0, slow: 0 };

export const fastHalfLifeMs = 24 * 3_600_000;
export const slowHalfLifeMs = 14 * 24 * 3_600_000;

/** What an event weighs in sums of interest; 0: it takes no part. */
export function interestOf({ type }: Interaction): number {
  if (type === 'view') return 1;
  if (type === 'cart') return 3;
  return type === 'purchase' ? 5 : 0;
}

/** `sum` as of `fromMs`, decayed to `toMs`; a time before `fromMs` lets it grow. */
export function decayed(sum: number, { fromMs, toMs, halfLifeMs }: Decay): number {
  return fromMs === toMs ? sum : sum * 2 ** ((fromMs - toMs) / halfLifeMs);
}

interface Decay {
  readonly fromMs: number;
  readonly toMs: number;
  readonly halfLifeMs: number;
}

/** The trend with an event of this weight and time; order of events changes the last bits only. */
export function addToTrend(trend: ProductTrend, weight: number, timestampMs: number): ProductTrend {
  const { refMs, fast, slow } = trend;
  if (weight === 0) return trend;
  const toMs = Math.max(refMs, timestampMs);
  const sum = (before: number, halfLifeMs: number): number =>
    decayed(before, { fromMs: refMs, toMs, halfLifeMs }) + decayed(weight, { fromMs: timestampMs, toMs, halfLifeMs });
  return { refMs: toMs, fast: sum(fast, fastHalfLifeMs), slow: sum(slow, slowHalfLifeMs) };
}
