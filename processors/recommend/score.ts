import type { EventRelation, Relation } from '../pairs/relation.ts';
import { pairWindow, weightUnit } from '../pairs/weights.ts';
import type { PairRow, PairView } from './pair-view.ts';
import { TopK } from './top-k.ts';

/**
 * Scores, computed when looked up: the only place where counts become an order (docs/architecture/shop.md, "Scores").
 *
 *     similar:          s(i,j) = M[i][j] / ((n_i + 20)^.75 · (n_j + 20)^.15) · (1 + .5 · ln(N / n_j))
 *     viewed-bought:    as similar, with n_i of viewed, n_j and N of bought
 *     bought together:  C[i][j] / sqrt((n_i + 20)(n_j + 20)), C >= 3
 *
 * A list of seeds (a session, a user's recent items) votes: each seed gives its 100 best neighbours its own weight times s,
 * candidates with several voters gain, and what is left after the chance of a reminder is shared among them:
 *
 *     raw(j) = [Σ_k w_k · s(i_k, j)] · m_j^.5        p(j) = (1 − R) · raw(j)^1.3 / Σ raw^1.3
 *
 * and a seed that may be shown again has the chance of its own return besides: with all of them, p sums to 1.
 *
 * A `Scorer` holds scratch arrays and, where the view has a version, the votes it computed for it: it answers the same
 * for the same view. It is not to be shared by threads.
 */
export class Scorer {
  readonly #view: PairView;
  readonly #top: TopK;
  readonly #voters: TopK;
  readonly #candidates: number[] = [];
  #sums = new Float64Array(0);
  #votes = new Uint16Array(0);
  #bestTerms = new Float64Array(0);
  #bestSeeds = new Uint16Array(0);
  #bestCounts = new Uint32Array(0);
  #rowScores = new Float64Array(0);
  #keptVersion = -1;
  readonly #keptVotes = new Map<number, Votes | null>();

  constructor(view: PairView) {
    this.#view = view;
    this.#top = new TopK((item) => view.id(item));
    this.#voters = new TopK((place) => view.id(this.#votingRow!.neighbours[place]!));
  }

  #votingRow: PairRow | undefined;

  /**
   * Items like this one, by the relation that is asked for, else by the item's strongest one; it is named in the answer.
   * No relation: the item has no neighbours there.
   */
  similar(
    item: number,
    options: SimilarOptions,
  ): { readonly relation: Relation | undefined; readonly items: Scored[] } {
    const relation = options.relation ?? strongestRelation(this.#view, item);
    const row = relation === undefined ? undefined : this.#view.row(relation, item);
    if (relation === undefined || row === undefined) return { relation: undefined, items: [] };
    this.#scoreRow(relation, item, row);
    return { relation, items: this.#takeRow(item, row, options) };
  }

  boughtTogether(item: number, options: ListOptions): Scored[] {
    const view = this.#view;
    const row = view.row('bought', item);
    if (row === undefined) return [];
    const own = view.n('bought', item) + shrinkage;
    const scores = this.#rowScratch(row.length);
    for (let place = 0; place < row.length; place += 1) {
      const count = row.counts[place]!;
      scores[place] =
        count < boughtTogetherMinCount
          ? -Infinity
          : count / Math.sqrt(own * (view.n('bought', row.neighbours[place]!) + shrinkage));
    }
    return this.#takeRow(item, row, options);
  }

  /** For the items of a session, newest first; repeats of an item after its first are ignored, so are items after the 10th. */
  session(newestFirst: readonly number[], options: VoteOptions): Scored[] {
    const distinct = [...new Set(newestFirst)].slice(0, pairWindow);
    return this.#vote(
      distinct.map((item, place) => ({ item, weight: Math.exp(-place / positionScale) })),
      options,
    );
  }

  /** For a user's recent items, greatest timestamp first. Age counts from the newest of them. */
  user(recent: readonly RecentItem[], options: VoteOptions): Scored[] {
    const newest = recent[0]?.timestampMs ?? 0;
    return this.#vote(
      recent.map(({ item, timestampMs }, place) => ({
        item,
        weight: Math.exp(-place / positionScale) * Math.exp(-(newest - timestampMs) / ageScaleMs),
      })),
      options,
    );
  }

  #vote(seeds: readonly Seed[], options: VoteOptions): Scored[] {
    this.#fit();
    const rates = seeds.map((seed, place) => this.#castVotes(seed, place));
    const repeated = Math.min(
      repeatChanceMax,
      rates.reduce((sum, rate) => sum + rate, 0),
    );

    let total = 0;
    for (const item of this.#candidates) {
      const raw = (this.#sums[item]! * Math.sqrt(this.#votes[item]!)) ** sharpness;
      this.#sums[item] = raw;
      total += raw;
    }
    const share = total > 0 ? (1 - repeated) / total : 0;
    for (const item of this.#candidates) this.#sums[item] = this.#sums[item]! * share;
    for (const [place, { item }] of seeds.entries()) {
      if (this.#votes[item] === 0) this.#enter(item);
      this.#sums[item] = options.includeSeen === true ? this.#sums[item]! + rates[place]! : -Infinity;
    }

    this.#top.reset(options.limit);
    for (const item of this.#candidates) {
      const score = this.#sums[item]!;
      if (score > 0 && (options.allow === undefined || options.allow(item))) this.#top.offer(item, score);
    }
    const items = this.#top.take().map(({ item, score }): Scored => {
      const voted = this.#bestTerms[item]! > 0;
      const because = voted ? seeds[this.#bestSeeds[item]!]!.item : item;
      return { item, score, because, count: voted ? this.#bestCounts[item]! : 0 };
    });
    for (const item of this.#candidates) this.#votes[item] = 0;
    this.#candidates.length = 0;
    return items;
  }

  /** Adds a seed's votes; gives the chance that the seed itself comes again. */
  #castVotes(seed: Seed, place: number): number {
    const votes = this.#votesOf(seed.item);
    if (votes === undefined) return 0;
    const { items, scores, counts } = votes;
    for (let at = 0; at < items.length; at += 1) {
      const item = items[at]!;
      const term = seed.weight * scores[at]!;
      if (this.#votes[item] === 0) this.#enter(item);
      this.#sums[item] = this.#sums[item]! + term;
      this.#votes[item] = this.#votes[item]! + 1;
      if (term > this.#bestTerms[item]!) {
        this.#bestTerms[item] = term;
        this.#bestSeeds[item] = place;
        this.#bestCounts[item] = counts[at]!;
      }
    }
    const { rep, repN } = this.#view.reminders(votes.relation);
    return place < pairWindow && repN[place + 1]! > 0 ? rep[place + 1]! / repN[place + 1]! : 0;
  }

  /** An item's 100 best neighbours by its strongest relation; kept as long as the view's version stays. */
  #votesOf(item: number): Votes | undefined {
    const { version } = this.#view;
    if (version === undefined) return this.#computeVotes(item);
    if (version !== this.#keptVersion || this.#keptVotes.size >= keptVotesMax) {
      this.#keptVotes.clear();
      this.#keptVersion = version;
    }
    let votes = this.#keptVotes.get(item);
    if (votes === undefined) {
      votes = this.#computeVotes(item) ?? null;
      this.#keptVotes.set(item, votes);
    }
    return votes ?? undefined;
  }

  #computeVotes(item: number): Votes | undefined {
    const view = this.#view;
    const relation = strongestRelation(view, item);
    if (relation === undefined) return undefined;
    const row = view.row(relation, item)!;
    const scores = this.#scoreRow(relation, item, row);
    this.#votingRow = row;
    this.#voters.reset(votersPerRow);
    for (let at = 0; at < row.length; at += 1) this.#voters.offer(at, scores[at]!);
    const places = [...this.#voters.kept()];
    return {
      relation,
      items: Uint32Array.from(places, (at) => row.neighbours[at]!),
      scores: Float64Array.from(places, (at) => scores[at]!),
      counts: Uint32Array.from(places, (at) => row.counts[at]!),
    };
  }

  #enter(item: number): void {
    this.#candidates.push(item);
    this.#sums[item] = 0;
    this.#bestTerms[item] = 0;
  }

  #scoreRow(relation: Relation, item: number, row: PairRow): Float64Array {
    const view = this.#view;
    const scores = this.#rowScratch(row.length);
    const [from, to] = relation === 'viewed-bought' ? viewedThenBought : [relation, relation];
    const lnAll = Math.log(Math.max(1, view.N(to)));
    const own = 1 / (weightUnit * (view.n(from, item) + shrinkage) ** 0.75);
    for (let place = 0; place < row.length; place += 1) {
      const n = Math.max(1, view.n(to, row.neighbours[place]!));
      const known = n < tableSize;
      if (known && damping[n] === 0) fillTables(n);
      const damp = known ? damping[n]! : (n + shrinkage) ** -0.15;
      const ln = known ? logarithms[n]! : Math.log(n);
      scores[place] = row.weights[place]! * own * damp * (1 + 0.5 * (lnAll - ln));
    }
    return scores;
  }

  #takeRow(item: number, row: PairRow, options: ListOptions): Scored[] {
    const { limit, allow } = options;
    this.#votingRow = row;
    this.#voters.reset(limit);
    for (let place = 0; place < row.length; place += 1) {
      const score = this.#rowScores[place]!;
      if (score > 0 && (allow === undefined || allow(row.neighbours[place]!))) this.#voters.offer(place, score);
    }
    return this.#voters.take().map(({ item: place, score }) => ({
      item: row.neighbours[place]!,
      score,
      because: item,
      count: row.counts[place]!,
    }));
  }

  #rowScratch(length: number): Float64Array {
    if (this.#rowScores.length < length) this.#rowScores = new Float64Array(length * 2);
    return this.#rowScores;
  }

  #fit(): void {
    const items = this.#view.items;
    if (this.#sums.length >= items) return;
    const size = Math.max(1024, items * 2);
    this.#sums = new Float64Array(size);
    this.#votes = new Uint16Array(size);
    this.#bestTerms = new Float64Array(size);
    this.#bestSeeds = new Uint16Array(size);
    this.#bestCounts = new Uint32Array(size);
  }
}

export interface ListOptions {
  readonly limit: number;
  /** What may be in the answer; asked before the cut. */
  readonly allow?: ((item: number) => boolean) | undefined;
}

export interface SimilarOptions extends ListOptions {
  /** By this relation alone. */
  readonly relation?: Relation | undefined;
}

export interface VoteOptions extends ListOptions {
  /** Whether the seeds themselves may be in the answer, with their chance to come again. */
  readonly includeSeen?: boolean | undefined;
}

export interface RecentItem {
  readonly item: number;
  readonly timestampMs: number;
}

export interface Scored {
  readonly item: number;
  readonly score: number;
  /** The seed that gave it most; the item itself when it is a reminder only. */
  readonly because: number;
  /** Sessions that held both; 0 for a reminder. */
  readonly count: number;
}

/**
 * The relation of events with the greatest total of row weight × type weight (view 1, cart 3, purchase 5); ties to bought,
 * then cart. Undefined when all are 0.
 */
export function strongestRelation(view: PairView, item: number): EventRelation | undefined {
  let strongest: EventRelation | undefined;
  let most = 0;
  for (const [relation, weight] of typeWeights) {
    const total = weight * totalWeight(view.row(relation, item));
    if (total <= most) continue;
    strongest = relation;
    most = total;
  }
  return strongest;
}

interface Seed {
  readonly item: number;
  readonly weight: number;
}

/** What a seed gives its best neighbours, before its own weight. */
interface Votes {
  readonly relation: EventRelation;
  readonly items: Uint32Array;
  readonly scores: Float64Array;
  readonly counts: Uint32Array;
}

function totalWeight(row: PairRow | undefined): number {
  if (row === undefined) return 0;
  let total = 0;
  for (let place = 0; place < row.length; place += 1) total += row.weights[place]!;
  return total;
}

/** Ties go to the first. */
const typeWeights = [
  ['bought', 5],
  ['cart', 3],
  ['viewed', 1],
] as const satisfies readonly (readonly [EventRelation, number])[];
/** Whose sums viewed-bought uses: of the item seen, and of the item that may be bought next. */
const viewedThenBought = ['viewed', 'bought'] as const;
const shrinkage = 20;
const boughtTogetherMinCount = 3;
const votersPerRow = 100;
/** About 2 KiB each. */
const keptVotesMax = 16_384;
/** 2 and 1 were tried as well: docs/measurements/quality.md. */
const positionScale = 1.5;
const sharpness = 1.3;
/** The rates of ten positions come from different numbers of sessions, so their sum could reach 1 early in a shop's life. */
const repeatChanceMax = 0.9;
const ageScaleMs = 7 * 24 * 3_600_000;

/** (n + 20)^-.15 and ln n of small n, filled as they are asked for: powers and logarithms were most of a look-up's time. */
const tableSize = 1 << 16;
const damping = new Float64Array(tableSize);
const logarithms = new Float64Array(tableSize);

function fillTables(n: number): void {
  damping[n] = (n + shrinkage) ** -0.15;
  logarithms[n] = Math.log(n);
}
