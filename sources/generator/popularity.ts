/**
 * Which category and which product, with nothing stored a product.
 *
 * A draw is a Zipf rank, put through a permutation of the category's positions, `position = (a · rank + b) mod n` with a
 * and n coprime. Each drift period has its own a and b. Through a period the next one's permutation is used ever more
 * often, from never to always: popularity slides from one set of best sellers to another with no jump.
 *
 * A *cluster* is the positions that are equal modulo the number of clusters, about `clusterSize` products that are looked
 * at together. It stays what it is when popularity drifts.
 */
import type { CatalogueIndex } from './catalogue-index.ts';
import { Random } from './random.ts';
import type { GeneratorParameters } from './parameters.ts';
import { drawZipf } from './zipf.ts';

const clusterSize = 12;
const dayMs = 86_400_000;
const purposes = { period: 11, categories: 12 } as const;

export class Popularity {
  readonly #catalogue: CatalogueIndex;
  readonly #parameters: GeneratorParameters;
  /** Categories by rank. */
  readonly #ranked: Uint32Array;
  readonly #places = new Random();

  constructor(catalogue: CatalogueIndex, parameters: GeneratorParameters) {
    this.#catalogue = catalogue;
    this.#parameters = parameters;
    this.#ranked = Uint32Array.from(catalogue.categories.keys());
    const random = new Random().at(parameters.seed, purposes.categories);
    for (let at = this.#ranked.length - 1; at > 0; at--) {
      const other = random.below(at + 1);
      [this.#ranked[at], this.#ranked[other]] = [this.#ranked[other]!, this.#ranked[at]!];
    }
  }

  category(random: Random): number {
    return this.#ranked[drawZipf(random, this.#ranked.length, this.#parameters.zipfExponent)]!;
  }

  /** A position in the category. */
  position(random: Random, category: number, timeMs: number): number {
    const count = this.#catalogue.size(category);
    const rank = drawZipf(random, count, this.#parameters.zipfExponent);
    return this.#permuted(category, this.#period(random, timeMs), rank, count);
  }

  /** A position in the cluster of another. */
  companion(random: Random, category: number, position: number, timeMs: number): number {
    const count = this.#catalogue.size(category);
    const clusters = clustersOf(count);
    const cluster = position % clusters;
    const members = Math.ceil((count - cluster) / clusters);
    const rank = drawZipf(random, members, this.#parameters.zipfExponent);
    return cluster + clusters * this.#permuted(category, this.#period(random, timeMs), rank, members);
  }

  #period(random: Random, timeMs: number): number {
    const periods = (timeMs - this.#parameters.startMs) / (this.#parameters.driftDays * dayMs);
    return Math.floor(periods) + (random.chance(periods - Math.floor(periods)) ? 1 : 0);
  }

  #permuted(category: number, period: number, rank: number, count: number): number {
    const place = this.#places.at(this.#parameters.seed, purposes.period, category, period);
    let factor = 1 + place.below(count);
    const shift = place.below(count);
    while (!coprime(factor, count)) factor++;
    return (factor * rank + shift) % count;
  }
}

export function clustersOf(products: number): number {
  return Math.max(1, Math.floor(products / clusterSize));
}

function coprime(left: number, right: number): boolean {
  while (right !== 0) [left, right] = [right, left % right];
  return left === 1;
}
