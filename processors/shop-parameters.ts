import { MillraceError } from '../schemas/index.ts';
import { pairPositionsMax, pairWindow } from './pairs/weights.ts';
import { sessionGapMs } from './sessions/session.ts';

/**
 * What the shop counts by, and a replay may change: each generation of the state has its own (docs/architecture/replay.md).
 * Formats of rows and what answers are computed by are no parameters.
 */
export interface ShopParameters {
  /** How many places back in a session an item is paired with others, 1..50. Default 10. */
  readonly pairPositions: number;
  /** A longer silence ends a session window, and a session without an id; 1 s to 7 days. Default 30 min. */
  readonly sessionGapMs: number;
  /** Within it, the same event id of a user and session is the same event; 2^20 to 2^32 - 1 ms. Default 24 h. */
  readonly dedupeHorizonMs: number;
}

export const defaultShopParameters: ShopParameters = {
  pairPositions: pairWindow,
  sessionGapMs,
  dedupeHorizonMs: 24 * 3_600_000,
};

/** `[from, to]`, both allowed. */
export const shopParameterRanges: { readonly [Name in keyof ShopParameters]: readonly [number, number] } = {
  pairPositions: [1, pairPositionsMax],
  sessionGapMs: [1000, 7 * 24 * 3_600_000],
  dedupeHorizonMs: [2 ** 20, 2 ** 32 - 1],
};

/**
 * Those that are given, the others from `base`.
 * @throws MillraceError `INVALID_ARGUMENT`: which, wanted, found
 */
export function shopParameters(
  given: { readonly [name: string]: unknown },
  base: ShopParameters = defaultShopParameters,
): ShopParameters {
  for (const [name, value] of Object.entries(given)) {
    const range = isParameter(name) ? shopParameterRanges[name] : undefined;
    if (range === undefined) {
      const names = Object.keys(shopParameterRanges).join(', ');
      throw new MillraceError('INVALID_ARGUMENT', `A parameter of the shop is one of ${names}, found '${name}'.`, {
        name,
      });
    }
    const [from, to] = range;
    if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) continue;
    const message = `Parameter ${name} wants a whole number ${from}..${to}, found ${JSON.stringify(value)}.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { name, from, to });
  }
  return { ...base, ...given };
}

function isParameter(name: string): name is keyof ShopParameters {
  return Object.hasOwn(shopParameterRanges, name);
}
