import type { LastVersion } from './catalogue.ts';
import { marginalKey } from './marginals.ts';
import type { PairTable } from './pair-table.ts';
import type { EventRelation, ListKind, MarginalRow, PairTotalsRow, ProductStatsRow, ScoredItem } from './rows.ts';
import { eventRelations } from './rows.ts';
import { boughtTogetherCountMin, boughtTogetherScore, relationWeight, similarScore } from './scores.ts';

export interface ListSources {
  readonly catalogue: ReadonlyMap<string, LastVersion>;
  readonly productStats: ReadonlyMap<string, ProductStatsRow>;
  readonly marginals: ReadonlyMap<string, MarginalRow>;
  readonly pairTotals: ReadonlyMap<EventRelation, PairTotalsRow>;
  readonly pairs: PairTable;
}

/** The list of an item, not cut: the answer is its head. */
export interface RankedList {
  /** Best first, ties by id in code units. */
  top(limit: number): ScoredItem[];
  /** The score of an item that may stand in the list, at whatever place; undefined of any other. */
  scoreOf(id: string): number | undefined;
}

/**
 * The similar and bought-together lists of every item. Service products and inactive ones are left out, also those that became so after they
 * had been paired. Marginals and services stand in columns beside the pair table: there are millions of scores.
 */
export class Lists {
  readonly #pairs: PairTable;
  readonly #totals: Record<EventRelation, number>;
  readonly #sessions: Record<EventRelation, Float64Array>;
  /** 1 for what is in no list. */
  readonly #hidden: Uint8Array;

  constructor({ catalogue, productStats, marginals, pairTotals, pairs }: ListSources) {
    const total = (relation: EventRelation) => Number(pairTotals.get(relation)?.sessions ?? 0);
    const items = pairs.items;
    this.#pairs = pairs;
    this.#totals = { viewed: total('viewed'), bought: total('bought'), cart: total('cart') };
    const column = () => new Float64Array(items.length);
    this.#sessions = { viewed: column(), bought: column(), cart: column() };
    this.#hidden = new Uint8Array(items.length);
    for (const [number, item] of items.entries()) {
      const hidden = productStats.get(item)?.service === true || catalogue.get(item)?.active === false;
      this.#hidden[number] = hidden ? 1 : 0;
      for (const relation of eventRelations) {
        this.#sessions[relation][number] = Number(marginals.get(marginalKey(relation, item))?.sessions ?? 0);
      }
    }
  }

  of(kind: ListKind, item: string): RankedList {
    const pairs = this.#pairs;
    const relation = kind === 'similar' ? this.strongestRelation(item) : 'bought';
    const { from, to } = pairs.range(relation, item);
    const scores = new Float64Array(to - from);
    for (let row = from; row < to; row++) scores[row - from] = this.#score(kind, relation, item, row);
    return {
      top: (limit) => {
        const found: ScoredItem[] = [];
        for (const [at, score] of scores.entries()) {
          if (Number.isNaN(score)) continue;
          if (found.length === limit && score < found[limit - 1]!.score) continue;
          const one = { id: pairs.neighbourAt(from + at), score };
          const place = found.findIndex((other) => score > other.score || (score === other.score && one.id < other.id));
          found.splice(place === -1 ? found.length : place, 0, one);
          if (found.length > limit) found.pop();
        }
        return found;
      },
      scoreOf: (id) => {
        const row = pairs.find(relation, item, id);
        return row === -1 || Number.isNaN(scores[row - from]) ? undefined : scores[row - from];
      },
    };
  }

  /** The relation with the greatest total of row weight times type weight; ties to bought, then cart. */
  strongestRelation(item: string): EventRelation {
    const total = (relation: EventRelation): number => {
      const { from, to } = this.#pairs.range(relation, item);
      let sum = 0;
      for (let row = from; row < to; row++) sum += this.#pairs.weightAt(row);
      return sum * relationWeight[relation];
    };
    const [viewed, carted, bought] = [total('viewed'), total('cart'), total('bought')];
    if (bought >= carted && bought >= viewed) return 'bought';
    return carted >= viewed ? 'cart' : 'viewed';
  }

  /** NaN where the neighbour may not stand in the list. */
  #score(kind: ListKind, relation: EventRelation, item: string, row: number): number {
    const neighbour = this.#pairs.neighbourNumberAt(row);
    if (this.#hidden[neighbour] === 1) return Number.NaN;
    const ni = this.#sessions[relation][this.#pairs.numberOf(item)]!;
    const nj = this.#sessions[relation][neighbour]!;
    if (kind === 'similar')
      return similarScore(this.#pairs.weightAt(row), { ni, nj, sessions: this.#totals[relation] });
    const count = this.#pairs.countAt(row);
    return count < boughtTogetherCountMin ? Number.NaN : boughtTogetherScore(count, { ni, nj });
  }
}

/** A list of what has a score: greatest first, ties by id in code units. */
export function rankedList(items: readonly ScoredItem[]): RankedList {
  const sorted = items.toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  let scores: Map<string, number> | undefined;
  return {
    top: (limit) => sorted.slice(0, limit),
    scoreOf: (id) => (scores ??= new Map(sorted.map(({ id: of, score }) => [of, score]))).get(id),
  };
}
