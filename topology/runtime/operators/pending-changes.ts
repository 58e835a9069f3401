import type { Change } from '../../record.ts';
import { faults } from '../faults.ts';
import type { Emit } from '../node.ts';
import type { StreamRecord } from '../stream-record.ts';

/**
 * What the record cache holds back: for every key that changed since the last flush, what it had before and has now.
 *
 * With caching on, a stateful operator forwards one change a key when the commit flushes, from the value at the last
 * flush to the value now. The value now is kept here and not looked up in the store: a window may have expired in
 * between, and its last value is still a result. A row that came and went between two flushes was never seen by
 * anybody, so nothing is forwarded for it (CachingKeyValueStore#putAndMaybeForward).
 */
export class PendingChanges {
  readonly #changes = new Map<string | number, PendingChange>();

  note(token: string | number, change: PendingChange): void {
    const first = this.#changes.get(token);
    this.#changes.set(token, first === undefined ? change : { ...change, oldValue: first.oldValue });
  }

  get size(): number {
    return this.#changes.size;
  }

  /** Forwards everything, in order of first change, and forgets it. */
  flush(place: StreamRecord, emit: Emit): void {
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    for (const { key, oldValue, newValue, timestamp } of changes) {
      if (faults.lostFlush || (newValue === null && oldValue === null)) continue;
      emit(place.with(key, change(newValue, oldValue), timestamp));
    }
  }
}

export function change(newValue: unknown, oldValue: unknown): Change<unknown> {
  return { newValue, oldValue };
}

export interface PendingChange {
  readonly key: unknown;
  readonly oldValue: unknown;
  readonly newValue: unknown;
  /** Of the new value; of the record that deleted it when there is none. */
  readonly timestamp: number;
}
