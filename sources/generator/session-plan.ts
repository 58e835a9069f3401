/**
 * What happens in one session. It depends on seed, minute and number of the session alone.
 *
 *     products: 1 + geometric          each: view ─┬─ favorite
 *     first by popularity                          └─ cart ─┬─ remove
 *     next from its cluster, or by popularity               └─ purchase ─┬─ rating
 *                                                                        └─ return
 * Steps of a product follow each other, 5 s to a minute apart in the mean. Rating and return come in the same session;
 * a shop's come days later, which a stream that can be entered anywhere would have to remember.
 */
import type { InteractionType } from '../../schemas/index.ts';
import { type GeneratorParameters, lateMsMax, productsMax, sessionMsMax } from './parameters.ts';
import type { Popularity } from './popularity.ts';
import { Random } from './random.ts';
import { drawUser, favouriteCategory } from './user-traits.ts';

export interface SessionPlan {
  readonly user: number;
  readonly anonymous: boolean;
  readonly category: number;
  readonly steps: readonly SessionStep[];
}

export interface SessionStep {
  /** Position in the category. */
  readonly position: number;
  readonly type: InteractionType;
  readonly quantity: number;
  readonly timestamp: number;
  /** When it is heard of: its time, or later for late events. */
  readonly arrivalMs: number;
}

const purpose = 31;
const stepMsMean = 25_000;

export class SessionPlanner {
  readonly #parameters: GeneratorParameters;
  readonly #popularity: Popularity;
  readonly #random = new Random();
  readonly #traits = new Random();

  constructor(parameters: GeneratorParameters, popularity: Popularity) {
    this.#parameters = parameters;
    this.#popularity = popularity;
  }

  plan({
    minute,
    session,
    startMs,
  }: {
    readonly minute: number;
    readonly session: number;
    readonly startMs: number;
  }): SessionPlan {
    const { seed, users, anonymousRate, affinityRate, clusterRate, productsMean } = this.#parameters;
    const random = this.#random.at(seed, purpose, minute, session);
    const user = drawUser(random, users);
    const anonymous = random.chance(anonymousRate);
    const category = random.chance(affinityRate)
      ? favouriteCategory({ random, traits: this.#traits }, { seed, user }, this.#popularity)
      : this.#popularity.category(random);
    const steps: SessionStep[] = [];
    let position = this.#popularity.position(random, category, startMs);
    for (let product = 1; ; product++) {
      this.#funnel(steps, position, startMs);
      if (product === productsMax || !random.chance(1 - 1 / productsMean)) break;
      position = random.chance(clusterRate)
        ? this.#popularity.companion(random, category, position, startMs)
        : this.#popularity.position(random, category, startMs);
    }
    return { user, anonymous, category, steps };
  }

  #funnel(steps: SessionStep[], position: number, startMs: number): void {
    const { favoriteRate, cartRate, removeRate, purchaseRate, ratingRate, returnRate } = this.#parameters;
    const random = this.#random;
    const step = (type: InteractionType, quantity = 1) => this.#step(steps, { position, type, quantity, startMs });
    step('view');
    if (random.chance(favoriteRate)) step('favorite');
    if (!random.chance(cartRate)) return;
    const quantity = random.chance(0.85) ? 1 : 2 + random.below(3);
    step('cart', quantity);
    if (random.chance(removeRate)) {
      step('remove', quantity);
      return;
    }
    if (!random.chance(purchaseRate)) return;
    step('purchase', quantity);
    if (random.chance(ratingRate)) step('rating');
    if (random.chance(returnRate)) step('return', quantity);
  }

  #step(
    steps: SessionStep[],
    {
      position,
      type,
      quantity,
      startMs,
    }: Pick<SessionStep, 'position' | 'type' | 'quantity'> & { readonly startMs: number },
  ): void {
    const random = this.#random;
    const last = steps.at(-1);
    const next = last === undefined ? startMs : last.timestamp + 1000 + Math.floor(random.exponential(stepMsMean));
    const timestamp = Math.min(next, startMs + sessionMsMax);
    const lateMs = random.chance(this.#parameters.lateRate) ? 1 + random.below(lateMsMax) : 0;
    steps.push({ position, type, quantity, timestamp, arrivalMs: timestamp + lateMs });
  }
}
