import type { Publication } from '../host/messages.ts';
import { rowsOf, type PublishedRow } from '../host/published-rows.ts';
import type { ArrivedAnswer } from './demands.ts';

/**
 * Publications and answers on their way into the view, a piece at a time and in the order in which they came: at most about a
 * millisecond of work between two turns of the event loop, so that look-ups are answered in between, however much a
 * commit changed. Slices arrive many at once when the sender is fast, so none is worked on in the handler that received it.
 *
 * What waits is bounded by nothing but the sender: a commit's rows take less time to stage than they took to compute.
 */
export class StagingQueue {
  readonly #receiver: StagingReceiver;
  readonly #turnMsMax: number;
  readonly #waiting: Arrival[] = [];
  #rows: Iterator<PublishedRow> | undefined;
  #scheduled = false;

  constructor(receiver: StagingReceiver, turnMsMax = 1) {
    this.#receiver = receiver;
    this.#turnMsMax = turnMsMax;
  }

  push(arrival: Arrival): void {
    this.#waiting.push(arrival);
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
      if (this.#waiting.length > 0 || !this.#receiver.settle(0)) this.#schedule();
    });
  }

  #work(): void {
    const until = performance.now() + this.#turnMsMax;
    while (!this.#receiver.settle(rowsBetweenLooks)) if (performance.now() >= until) return;
    while (this.#waiting.length > 0) {
      const arrival = this.#waiting[0]!;
      this.#rows ??= this.#rowsOf(arrival)[Symbol.iterator]();
      for (let rows = 1; ; rows += 1) {
        const next = this.#rows.next();
        if (next.done === true) break;
        if (arrival.kind === 'answer') this.#receiver.fill(next.value);
        else this.#receiver.stage(next.value);
        if (rows % rowsBetweenLooks === 0 && performance.now() >= until) return;
      }
      this.#rows = undefined;
      this.#waiting.shift();
      if (arrival.kind === 'answer') {
        arrival.settle(this.#isOld(arrival) ? 'giveUp' : 'filled');
        return; // Whoever waits reads it before anything else can push it out again.
      }
      if (!arrival.publication.last) continue;
      this.#receiver.apply(arrival.publication);
      return;
    }
  }

  #rowsOf(arrival: Arrival): Iterable<PublishedRow> {
    if (arrival.kind === 'publication') return rowsOf(arrival.publication.slice);
    return this.#isOld(arrival) ? [] : rowsOf(arrival.slice);
  }

  #isOld({ epoch }: ArrivedAnswer): boolean {
    return epoch !== this.#receiver.epoch;
  }
}

/** A slice of a publication, or rows that were asked for. */
export type Arrival =
  | { readonly kind: 'publication'; readonly publication: Publication }
  | ({ readonly kind: 'answer' } & ArrivedAnswer);

export interface StagingReceiver {
  /** An answer that was asked for in another one is passed over. */
  readonly epoch: number;
  stage(row: PublishedRow): void;
  /** All rows of a publication are staged. */
  apply(publication: Publication): void;
  /** A row of an answer. */
  fill(row: PublishedRow): void;
  /** Does some of what an applied publication has left to do; true when nothing is left. */
  settle(max: number): boolean;
}

const rowsBetweenLooks = 32;
