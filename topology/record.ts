import type { LogHeader } from '../log/log.ts';

/** What flows along the edges of a topology. `key` and `value` may be null; `timestamp` is ms since epoch, event time. */
export interface Record<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: readonly LogHeader[];
}

/** An update of a table: what the key has now and what it had before; null is absence. */
export interface Change<V> {
  readonly newValue: V | null;
  readonly oldValue: V | null;
}

/** Tumbling and hopping windows are `[startMs, endMs)`. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

export interface Windowed<K> {
  readonly key: K;
  readonly window: Window;
}

export const noHeaders: readonly LogHeader[] = [];
