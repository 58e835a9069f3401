import type { Popularity } from './popularity.ts';
import type { Random } from './random.ts';

const purpose = 21;
/** Of the first, second and third favourite. */
const shares = [0.6, 0.25, 0.15] as const;

/** Some come often, most seldom: the number of a user with density ∝ 1 / √number. */
export function drawUser(random: Random, users: number): number {
  return Math.floor(users * random.unit() ** 2);
}

/**
 * One of the user's three favourite categories. They follow from seed and number, so nothing is kept a user: `traits` is
 * set to the user's place and draws them again, popular categories more often.
 */
export function favouriteCategory(
  { random, traits }: { readonly random: Random; readonly traits: Random },
  { seed, user }: { readonly seed: number; readonly user: number },
  popularity: Popularity,
): number {
  const pick = random.unit();
  traits.at(seed, purpose, user);
  let category = popularity.category(traits);
  let reached: number = shares[0];
  for (let at = 1; at < shares.length && pick >= reached; at++) {
    category = popularity.category(traits);
    reached += shares[at]!;
  }
  return category;
}
