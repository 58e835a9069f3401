import { setTimeout } from 'node:timers/promises';
import type { EmbeddedLog } from '../../../log/index.ts';
import { shopTopics } from '../../../processors/index.ts';
import type { EmbeddedRuntime } from '../../../topology/index.ts';
import { errorFields } from '../error-fields.ts';
import type { ErrorFields, ReplayProgress, SourceOffset } from '../messages.ts';
import type { GenerationEntry } from './generation-book.ts';
import { ProgressMeter, recordsSince, type Processed } from './progress-meter.ts';

/** A generation on its way to be active: new, or kept and asked for again. It works when the active one leaves it time. */
export class Replay {
  readonly entry: GenerationEntry;
  readonly runtime: EmbeddedRuntime;
  readonly #log: EmbeddedLog;
  readonly #meter = new ProgressMeter();
  isHandingOver = false;
  failure: ErrorFields | undefined;

  constructor(entry: GenerationEntry, runtime: EmbeddedRuntime, log: EmbeddedLog) {
    this.entry = entry;
    this.runtime = runtime;
    this.#log = log;
  }

  /** Resolves when so little is left that both can stand still for the rest. */
  async caughtUp(): Promise<void> {
    this.runtime.start();
    do await this.runtime.caughtUp();
    while (this.#lag() > nearRecords);
  }

  fail(error: unknown): void {
    this.failure ??= errorFields(error);
  }

  get progress(): ReplayProgress {
    const { isHandingOver, failure } = this;
    return this.#meter.read(this.#records(), { isHandingOver, error: failure ?? null });
  }

  #records(): Processed {
    return recordsSince(
      this.entry.startOffsets,
      sourcePositions(this.runtime).map((of) => ({ ...of, end: this.#log.committedEnd(of) })),
    );
  }

  #lag(): number {
    const { processed, total } = this.#records();
    return total - processed;
  }
}

/** How far a runtime has read the topics that come from outside, committed or not. */
export function sourcePositions({ tasks }: EmbeddedRuntime): readonly SourceOffset[] {
  const inputs = tasks.flatMap((task) => task.inputs);
  return inputs
    .map(({ partition, consumedOffset }) => ({ ...partition, offset: consumedOffset }))
    .filter(({ topic }) => topic === shopTopics.interactions || topic === shopTopics.productsHistory);
}

/**
 * Lets `first` go first. Before each turn the other one waits until it has nothing to do, but no longer than thrice its own
 * last turn took: it may have something to do for hours, and a quarter of the time is left.
 */
export class Precedence {
  readonly #first: () => { readonly isIdle: boolean };
  #turnSince = performance.now();

  constructor(first: () => { readonly isIdle: boolean }) {
    this.#first = first;
  }

  /** Undefined: the turn may begin. */
  wait(): Promise<void> | undefined {
    if (!this.#first().isIdle) return this.#waitFor(3 * (performance.now() - this.#turnSince));
    this.#turnSince = performance.now();
    return undefined;
  }

  async #waitFor(ms: number): Promise<void> {
    const until = performance.now() + Math.min(ms, waitMsMax);
    while (!this.#first().isIdle && performance.now() < until) await setTimeout(1);
    this.#turnSince = performance.now();
  }
}

/** At hundreds of thousands of records a second, what both stand still for is a moment. */
export const nearRecords = 1000;
/** Its own turn may have been long for another reason: a commit, or a pause of the process. */
const waitMsMax = 100;
