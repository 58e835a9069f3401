/**
 * How many records a task takes at a time. A unit works on a batch without letting the event loop turn, and heartbeats of the group
 * are sent from it: so a batch that took longer than `slowMs` makes the next ones smaller, down to one record, and quick ones
 * make them larger again. What holds: once its pace is known, a task keeps heartbeats waiting for about `slowMs`, or for one record.
 */
export class BatchSize {
  readonly #recordsMax: number;
  readonly #slowMs: number;
  #records: number;

  constructor(recordsMax: number, slowMs: number) {
    this.#recordsMax = recordsMax;
    this.#slowMs = slowMs;
    this.#records = Math.min(recordsMax, recordsAtFirst);
  }

  get records(): number {
    return this.#records;
  }

  took(records: number, ms: number): void {
    if (ms > this.#slowMs) this.#records = Math.max(1, Math.floor((records * this.#slowMs) / ms));
    else if (records >= this.#records && ms < this.#slowMs / 2) {
      this.#records = Math.min(this.#recordsMax, this.#records * 2);
    }
  }
}

/** Until its pace is known. */
const recordsAtFirst = 16;
