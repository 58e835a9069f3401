import { shopTopics } from '../../processors/index.ts';
import type { SourceOffset } from '../host/messages.ts';

/** Events processed so far and lately, read off the source offsets of publications. */
export class EventRate {
  readonly #windowMs: number;
  readonly #points: { readonly atMs: number; readonly events: number }[] = [];

  constructor(windowMs = 5000) {
    this.#windowMs = windowMs;
  }

  add(atMs: number, asOf: readonly SourceOffset[]): void {
    this.#points.push({ atMs, events: sourceEvents(asOf) });
    while (this.#points.length > 2 && this.#points[1]!.atMs <= atMs - this.#windowMs) this.#points.shift();
  }

  get events(): number {
    return this.#points.at(-1)?.events ?? 0;
  }

  /** Over the window before `nowMs`; what came before the window's start counts at its average rate. */
  perSecond(nowMs: number): number {
    const startMs = nowMs - this.#windowMs;
    const last = this.#points.at(-1);
    if (last === undefined || last.atMs <= startMs) return 0;
    const after = this.#points.findIndex(({ atMs }) => atMs > startMs);
    if (after === 0) {
      const first = this.#points[0]!;
      const spanMs = nowMs - first.atMs;
      return spanMs === 0 ? 0 : ((last.events - first.events) * 1000) / Math.max(spanMs, 1000);
    }
    const [before, next] = [this.#points[after - 1]!, this.#points[after]!];
    const share = (startMs - before.atMs) / (next.atMs - before.atMs);
    const atStart = before.events + share * (next.events - before.events);
    return ((last.events - atStart) * 1000) / this.#windowMs;
  }
}

function sourceEvents(asOf: readonly SourceOffset[]): number {
  return asOf.reduce((sum, { topic, offset }) => (topic === shopTopics.interactions ? sum + offset : sum), 0);
}
