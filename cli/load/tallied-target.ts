import type { IngestTarget } from '../../sources/index.ts';

/** What became of the rows so far. */
export interface Tally {
  /** Rows that the log has, counted from the first without a gap: a later run may begin behind them. */
  readonly acknowledgedRows: number;
  readonly events: number;
  readonly rejected: number;
  /** Rejected rows by the rule that they break. */
  readonly rules: { readonly [rule: string]: number };
}

/** Hands rows on, and counts those that the log has acknowledged. */
export class TalliedTarget implements IngestTarget {
  readonly partitions: number;
  readonly #target: IngestTarget;
  /** Appends in the order of the source, until all before them are durable. */
  readonly #appends: { rows: number; done: boolean }[] = [];
  readonly #pending = new Set<Promise<void>>();
  readonly #rules = new Map<string, number>();
  #acknowledgedRows = 0;
  #events = 0;
  #rejected = 0;

  constructor(target: IngestTarget) {
    this.#target = target;
    this.partitions = target.partitions;
  }

  get tally(): Tally {
    return {
      acknowledgedRows: this.#acknowledgedRows,
      events: this.#events,
      rejected: this.#rejected,
      rules: Object.fromEntries(this.#rules),
    };
  }

  /** Resolves when nothing is on its way to the log any more: the tally is whole. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  async appendEvents(records: Parameters<IngestTarget['appendEvents']>[0]): Promise<void> {
    await this.#append(records.length, this.#target.appendEvents(records));
    this.#events += records.length;
  }

  async appendDeadLetters(letters: Parameters<IngestTarget['appendDeadLetters']>[0]): Promise<void> {
    await this.#append(letters.length, this.#target.appendDeadLetters(letters));
    this.#rejected += letters.length;
    for (const { headers } of letters) {
      const header = headers?.find(({ key }) => key === 'millrace.rejected.rule');
      const rule = header === undefined ? 'unknown' : Buffer.from(header.value).toString();
      this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + 1);
    }
  }

  async #append(rows: number, appended: Promise<void>): Promise<void> {
    const append = { rows, done: false };
    this.#appends.push(append);
    this.#pending.add(appended);
    try {
      await appended;
    } finally {
      this.#pending.delete(appended);
    }
    append.done = true;
    while (this.#appends[0]?.done === true) this.#acknowledgedRows += this.#appends.shift()!.rows;
  }
}
