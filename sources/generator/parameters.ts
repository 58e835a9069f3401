import { MillraceError } from '../../schemas/index.ts';

/** What there is to set of a generated shop. The rates are those of the funnel, each of the step before. */
export interface GeneratorParameters {
  readonly seed: number;
  readonly users: number;
  /** Mean over a day. */
  readonly eventsPerDay: number;
  /** How much more or less than the mean comes at the busiest and the quietest hour: 0.7 is 1.7 and 0.3 of it, 0 is always the mean. */
  readonly rhythmSwing: number;
  /** Of the first minute, ms since epoch; a whole minute. */
  readonly startMs: number;
  readonly currency: string;
  readonly zipfExponent: number;
  /** Of sessions. */
  readonly anonymousRate: number;
  /** Of sessions that stay in a favourite category of their user. */
  readonly affinityRate: number;
  /** Of products after the first of a session, from the cluster of the one before. */
  readonly clusterRate: number;
  /** Products of a session: geometric with this mean, at most `productsMax`. */
  readonly productsMean: number;
  readonly favoriteRate: number;
  /** Of views. */
  readonly cartRate: number;
  /** Of carts. */
  readonly removeRate: number;
  /** Of carts that were not removed. */
  readonly purchaseRate: number;
  /** Of purchases. */
  readonly ratingRate: number;
  /** Of purchases. */
  readonly returnRate: number;
  /** Of events that arrive up to `lateMsMax` after they happened. */
  readonly lateRate: number;
  /** Popularity has moved wholly to other products after so many days. */
  readonly driftDays: number;
}

export const minuteMs = 60_000;
export const productsMax = 20;
export const lateMsMax = 5 * minuteMs;
/** Events of a session that would lie behind it are moved to it. */
export const sessionMsMax = 45 * minuteMs;

export const generatorDefaults: GeneratorParameters = {
  seed: 1,
  users: 10_000,
  eventsPerDay: 100_000,
  rhythmSwing: 0.7,
  startMs: Date.UTC(2025, 0, 1),
  currency: 'USD',
  zipfExponent: 1.05,
  anonymousRate: 0.2,
  affinityRate: 0.8,
  clusterRate: 0.6,
  productsMean: 5,
  favoriteRate: 0.03,
  cartRate: 0.15,
  removeRate: 0.2,
  purchaseRate: 0.5,
  ratingRate: 0.1,
  returnRate: 0.05,
  lateRate: 0.005,
  driftDays: 90,
};

/** @throws MillraceError `INVALID_ARGUMENT` with the parameter, what was wanted and what was found. */
export function checkParameters(parameters: GeneratorParameters): void {
  const { seed, users, eventsPerDay, rhythmSwing, startMs, zipfExponent, productsMean, driftDays } = parameters;
  want('seed', seed, 'an integer 0..4294967295', Number.isInteger(seed) && seed >= 0 && seed <= 0xffff_ffff);
  want('users', users, 'an integer 1..100000000', Number.isInteger(users) && users >= 1 && users <= 1e8);
  want('eventsPerDay', eventsPerDay, 'a number above 0, at most 1e10', eventsPerDay > 0 && eventsPerDay <= 1e10);
  want('rhythmSwing', rhythmSwing, 'a number 0..1', rhythmSwing >= 0 && rhythmSwing <= 1);
  want(
    'startMs',
    startMs,
    'a whole minute since epoch',
    Number.isSafeInteger(startMs) && startMs >= 0 && startMs % minuteMs === 0,
  );
  want('zipfExponent', zipfExponent, 'a number above 0, at most 4', zipfExponent > 0 && zipfExponent <= 4);
  want('productsMean', productsMean, `a number 1..${productsMax}`, productsMean >= 1 && productsMean <= productsMax);
  want('driftDays', driftDays, 'a number of 1 or more', driftDays >= 1);
  for (const [name, value] of Object.entries(parameters)) {
    if (name.endsWith('Rate')) want(name, value as number, 'a rate 0..1', value >= 0 && value <= 1);
  }
}

function want(name: string, found: number, wanted: string, holds: boolean): void {
  if (holds) return;
  throw new MillraceError('INVALID_ARGUMENT', `The generator's ${name} wants ${wanted}, found ${found}`, {
    parameter: name,
    wanted,
    found,
  });
}

/** How many events a session has in the mean: what turns events a day into sessions a day. */
export function eventsPerSession(parameters: GeneratorParameters): number {
  const { productsMean, favoriteRate, cartRate, removeRate, purchaseRate, ratingRate, returnRate } = parameters;
  const goesOn = 1 - 1 / productsMean;
  const products = goesOn === 0 ? 1 : (1 - goesOn ** productsMax) / (1 - goesOn);
  const purchases = (1 - removeRate) * purchaseRate;
  return products * (1 + favoriteRate + cartRate * (1 + removeRate + purchases * (1 + ratingRate + returnRate)));
}
