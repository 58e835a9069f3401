/** What a comparison found, table by table. */
export interface Comparison {
  readonly equal: boolean;
  readonly tables: readonly TableComparison[];
}

export interface TableComparison {
  readonly name: string;
  /** Rows of each side, and those that are the same. */
  readonly expected: number;
  readonly actual: number;
  readonly same: number;
  readonly differing: number;
  /** Expected, and not there. */
  readonly missing: number;
  /** There, and not expected; also a key that comes twice. */
  readonly extra: number;
  /** The first ten that are not the same. */
  readonly examples: readonly Difference[];
  /** Why the table was not compared. */
  readonly skipped?: string;
}

export interface Difference {
  readonly key: string;
  readonly expected: string;
  readonly actual: string;
}

export const examplesMax = 10;

/** Counts one table while it is compared. */
export class Tally {
  readonly #name: string;
  readonly #counts = { expected: 0, actual: 0, same: 0, differing: 0, missing: 0, extra: 0 };
  readonly #examples: Difference[] = [];

  constructor(name: string, expected: number) {
    this.#name = name;
    this.#counts.expected = expected;
  }

  /** Both sides have the row; `difference` is null when they agree. */
  both(key: string, difference: Omit<Difference, 'key'> | null): void {
    this.#counts.actual += 1;
    if (difference === null) this.#counts.same += 1;
    else this.#note('differing', { key, ...difference });
  }

  missing(key: string, expected: unknown): void {
    this.#note('missing', { key, expected: shown(expected), actual: 'no row' });
  }

  extra(key: string, actual: unknown, expected = 'no row'): void {
    this.#counts.actual += 1;
    this.#note('extra', { key, expected, actual: shown(actual) });
  }

  result(): TableComparison {
    return { name: this.#name, ...this.#counts, examples: this.#examples };
  }

  #note(count: 'differing' | 'missing' | 'extra', difference: Difference): void {
    this.#counts[count] += 1;
    if (this.#examples.length < examplesMax) this.#examples.push(difference);
  }
}

export function skippedTable(name: string, skipped: string): TableComparison {
  return { name, expected: 0, actual: 0, same: 0, differing: 0, missing: 0, extra: 0, examples: [], skipped };
}

export function isEqual(table: TableComparison): boolean {
  return table.differing === 0 && table.missing === 0 && table.extra === 0;
}

/** A value on one line, cut where it gets long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)) ?? 'nothing';
  return text.length <= 400 ? text : `${text.slice(0, 400)}…`;
}
