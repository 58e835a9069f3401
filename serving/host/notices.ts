import type { RestoreProgress } from '../../topology/index.ts';

/** How often a restore that takes long says how far it is. */
const everyMs = 5000;

/** What an instance says in its log of the state of its tasks: restores that take long, and those that have ended. */
export class Notices {
  readonly tell: (text: string) => void;
  readonly #toldAtMs = new Map<string, number>();

  constructor(tell: (text: string) => void) {
    this.tell = tell;
  }

  restored(progress: RestoreProgress, nowMs = performance.now()): void {
    const { topic, partition, offset, endOffset, records, recordsMax, remainingMs, full } = progress;
    const place = `${topic} ${partition}`;
    const what = full ? 'from the beginning' : 'the tail';
    if (offset >= endOffset) {
      if (this.#toldAtMs.delete(place)) this.tell(`Restored ${place} (${what}): ${records} records.`);
      return;
    }
    const before = this.#toldAtMs.get(place);
    if (before === undefined) this.#toldAtMs.set(place, nowMs);
    else if (nowMs - before >= everyMs) {
      this.#toldAtMs.set(place, nowMs);
      const left = remainingMs === undefined ? '' : `, ${Math.ceil(remainingMs / 1000)} s left`;
      this.tell(`Restoring ${place} (${what}): ${records} of at most ${recordsMax} records${left}.`);
    }
  }
}
