import type { Integer } from './rows.ts';

/** `5` and `5n` are the same integer; what is no integer is the same as none. */
export function sameInteger(expected: Integer, actual: unknown): boolean {
  if (typeof expected === typeof actual) return expected === actual;
  if (typeof actual === 'number') return Number.isInteger(actual) && BigInt(actual) === BigInt(expected);
  return typeof actual === 'bigint' && BigInt(expected) === actual;
}

export const scoreTolerance = 1e-9;

/** Within 1e-9 · max(1, |x|). Never true of NaN. */
export function sameScore(expected: number, actual: number): boolean {
  return Math.abs(expected - actual) <= scoreTolerance * Math.max(1, Math.abs(expected));
}
