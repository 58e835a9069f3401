import { collectNow } from './collect-now.ts';
import type { MemoryPressure } from '../../topology/index.ts';

/**
 * Keeps the process within its bound on memory by what it really takes. Shares (memory-shares.ts) are of estimates, and half of a
 * process has no bound of its own: where the bound comes near, the parts that can give way do.
 *
 *     most that was resident since the last commit   > 88 % of the bound: a fifth less of the caches and the dirty bytes
 *                                                    < 80 %: a twentieth more, up to their shares
 *
 *     is now                                         > 92 %: a commit, also in a backlog
 *                                                    > 95 %: garbage is collected, at most once in two seconds
 *
 * The last two are for what nobody could estimate: the sizes of new rows are guessed until they are written for the first time, and
 * V8 gets late to its garbage on a busy machine.
 * Otherwise slow on purpose: freed memory goes back to the system some collections later, and a step too far costs reads.
 */
export class MemoryGovernor implements MemoryPressure, Disposable {
  readonly #boundBytes: number;
  readonly #residentBytes: () => number;
  readonly #collect: () => void;
  #collectedAtMs = -Infinity;
  readonly #looking: NodeJS.Timeout;
  #share = 1;
  #mostBytes = 0;
  #isTight = false;

  constructor(
    boundBytes: number,
    residentBytes: () => number = () => process.memoryUsage.rss(),
    collect: () => void = collectNow,
  ) {
    this.#boundBytes = boundBytes;
    this.#residentBytes = residentBytes;
    this.#collect = collect;
    this.#looking = setInterval(() => this.look(), lookEveryMs).unref();
  }

  look(): void {
    const bytes = this.#residentBytes();
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    this.#isTight = bytes > this.#boundBytes * tooTight;
    if (bytes <= this.#boundBytes * nearlyFull || performance.now() - this.#collectedAtMs < collectEveryMs) return;
    this.#collect();
    this.#collectedAtMs = performance.now();
  }

  get isTight(): boolean {
    return this.#isTight;
  }

  /** Of the shares, 0.2 to 1, from now on; asked once a commit. */
  share(): number {
    this.look();
    const used = this.#mostBytes / this.#boundBytes;
    this.#mostBytes = 0;
    if (used > tight) this.#share = Math.max(shareMin, this.#share * 0.8);
    else if (used < loose) this.#share = Math.min(1, this.#share * 1.05);
    return this.#share;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
  }
}

const nearlyFull = 0.95;
const collectEveryMs = 2000;
const tooTight = 0.92;
const tight = 0.88;
const loose = 0.8;
const shareMin = 0.2;
const lookEveryMs = 100;
