import type { Publication } from '../host/messages.ts';
import { rowsOf, type PublishedRow } from '../host/published-rows.ts';

/**
 * Publications on their way into the view, a piece at a time: at most about a millisecond of staging between two turns
 * of the event loop, so that look-ups are answered in between, however much a commit changed. Slices arrive many at
 * once when the sender is fast, so none is worked on in the handler that received it.
 *
 * What waits is bounded by nothing but the sender: a commit's rows take less time to stage than they took to compute.
 */
export class StagingQueue {
  readonly #receiver: StagingReceiver;
  readonly #turnMsMax: number;
  readonly #waiting: Publication[] = [];
  #rows: Iterator<PublishedRow> | undefined;
  #scheduled = false;

  constructor(receiver: StagingReceiver, turnMsMax = 1) {
    this.#receiver = receiver;
    this.#turnMsMax = turnMsMax;
  }

  push(publication: Publication): void {
    this.#waiting.push(publication);
    this.#schedule();
  }

  /** Stages everything that has come, whatever it takes. */
  drain(): void {
    while (this.#waiting.length > 0) this.#work();
  }

  /** Slices that have come and are not staged in full. */
  get waitingSlices(): number {
    return this.#waiting.length;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#work();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #work(): void {
    const until = performance.now() + this.#turnMsMax;
    while (this.#waiting.length > 0) {
      const publication = this.#waiting[0]!;
      this.#rows ??= rowsOf(publication.slice)[Symbol.iterator]();
      for (let rows = 1; ; rows += 1) {
        const next = this.#rows.next();
        if (next.done === true) break;
        this.#receiver.stage(next.value);
        if (rows % rowsBetweenLooks === 0 && performance.now() >= until) return;
      }
      this.#rows = undefined;
      this.#waiting.shift();
      if (publication.last) this.#receiver.apply(publication);
      if (performance.now() >= until) return;
    }
  }
}

export interface StagingReceiver {
  stage(row: PublishedRow): void;
  /** All rows of a publication are staged. */
  apply(publication: Publication): void;
}

const rowsBetweenLooks = 32;
