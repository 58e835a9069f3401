import { type PairRow, type Relation, relations } from './rows.ts';

/**
 * Millions of pair rows in four columns, sorted by (relation, item, neighbour), so that a row of the recomputation costs
 * 16 bytes instead of an object.
 *
 *     starts[relation][item], ends[relation][item]     the rows of an item
 */
export class PairTable {
  readonly #ids: readonly string[];
  readonly #numbers = new Map<string, number>();
  readonly #neighbours: Uint32Array;
  readonly #weights: Float64Array;
  readonly #counts: Uint32Array;
  readonly #starts: Record<Relation, Int32Array>;
  readonly #ends: Record<Relation, Int32Array>;
  #size = 0;

  /** `ids[n]` is the product id of number n. */
  constructor(ids: readonly string[], rows: number) {
    this.#ids = ids;
    for (const [number, id] of ids.entries()) this.#numbers.set(id, number);
    this.#neighbours = new Uint32Array(rows);
    this.#weights = new Float64Array(rows);
    this.#counts = new Uint32Array(rows);
    this.#starts = columns(ids.length);
    this.#ends = columns(ids.length);
  }

  /** The next rows in order, by column: relation (its place in `relations`), item, neighbour, weight, count. */
  append(columns: readonly (readonly number[])[]): void {
    const [codes = [], items = [], neighbours = [], weights = [], counts = []] = columns;
    for (let at = 0; at < items.length; at++) {
      const relation = relations[codes[at]!]!;
      const item = items[at]!;
      const row = this.#size++;
      if (this.#ends[relation][item] === 0) this.#starts[relation][item] = row;
      this.#ends[relation][item] = row + 1;
      this.#neighbours[row] = neighbours[at]!;
      this.#weights[row] = weights[at]!;
      this.#counts[row] = counts[at]!;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Every item that has ever taken part, with pairs or without. */
  get items(): readonly string[] {
    return this.#ids;
  }

  /** The number of a row, by binary search, or -1. */
  find(relation: Relation, item: string, neighbour: string): number {
    const wanted = this.#numbers.get(neighbour);
    const { from, to } = this.range(relation, item);
    if (wanted === undefined) return -1;
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#neighbours[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low < to && this.#neighbours[low] === wanted ? low : -1;
  }

  /** The rows of an item are the numbers `[from, to)`. */
  range(relation: Relation, item: string): { readonly from: number; readonly to: number } {
    const number = this.#numbers.get(item);
    if (number === undefined) return { from: 0, to: 0 };
    return { from: this.#starts[relation][number]!, to: this.#ends[relation][number]! };
  }

  /** Items have numbers, their places in `items`, by which columns beside this table can be kept; -1 is unknown. */
  numberOf(item: string): number {
    return this.#numbers.get(item) ?? -1;
  }

  neighbourNumberAt(row: number): number {
    return this.#neighbours[row]!;
  }

  neighbourAt(row: number): string {
    return this.#ids[this.#neighbours[row]!]!;
  }

  weightAt(row: number): number {
    return this.#weights[row]!;
  }

  countAt(row: number): number {
    return this.#counts[row]!;
  }

  *rows(relation: Relation, item: string): Generator<PairRow, void, undefined> {
    const { from, to } = this.range(relation, item);
    for (let row = from; row < to; row++) {
      const [weight, count] = [this.weightAt(row), this.countAt(row)];
      yield { relation, item, neighbour: this.neighbourAt(row), weight, count };
    }
  }
}

function columns(length: number): Record<Relation, Int32Array> {
  const column = () => new Int32Array(length);
  return { viewed: column(), bought: column(), cart: column(), 'viewed-bought': column() };
}
