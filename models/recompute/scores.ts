import type { Trend } from './rows.ts';

/** The formulas of the page, in double precision; what they mean is told there. */

export interface Counts {
  /** Sessions with the item, with its neighbour, and of the relation. */
  readonly ni: number;
  readonly nj: number;
  readonly sessions: number;
}

export function similarScore(weight: number, { ni, nj, sessions }: Counts): number {
  const damped = Math.pow(ni + 20, 0.75) * Math.pow(nj + 20, 0.15);
  return (weight / 1024 / damped) * (1 + 0.5 * Math.log(sessions / nj));
}

export function boughtTogetherScore(count: number, { ni, nj }: Omit<Counts, 'sessions'>): number {
  return count / Math.sqrt((ni + 20) * (nj + 20));
}

export const boughtTogetherCountMin = 3;

/** Orders trends as their fast sums are ordered as of any one moment: its binary logarithm as of the epoch. */
export function trendRank({ refMs, fast }: Trend): number {
  return Math.log2(fast) + Number(refMs) / fastHalfLifeMs;
}

/** Both sums brought to one moment, the fast one over the slow one and 20 more. */
export function trendingScore({ refMs, fast, slow }: Trend, atMs: number): number {
  const age = atMs - Number(refMs);
  return (fast * Math.pow(2, -age / fastHalfLifeMs)) / (slow * Math.pow(2, -age / slowHalfLifeMs) + 20);
}

export const fastHalfLifeMs = 86_400_000;
export const slowHalfLifeMs = 14 * 86_400_000;

/** What a row counts for when the strongest relation of an item is chosen. */
export const relationWeight = { viewed: 1, cart: 3, bought: 5 } as const;
