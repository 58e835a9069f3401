import type { WindowStore } from '../../../state/store.ts';
import type { Aggregation, TimeWindow } from '../../graph/operator.ts';
import type { Windowed } from '../../record.ts';
import { faults } from '../faults.ts';
import type { Counter } from '../metrics.ts';
import type { Emit, ExecutableNode } from '../node.ts';
import type { StreamRecord } from '../stream-record.ts';
import { aggregateOnce } from './aggregation.ts';
import { keyToken } from './key-token.ts';
import { change, PendingChanges } from './pending-changes.ts';

export interface WindowedAggregateOptions {
  readonly name: string;
  readonly window: TimeWindow;
  readonly aggregation: Aggregation;
  readonly store: WindowStore<unknown, unknown>;
  readonly caching: boolean;
  readonly dropped: Counter;
  readonly late: Counter;
}

/**
 * Windowed count, reduce and aggregate (KStreamWindowAggregate). The operator's clock is the highest timestamp of its own
 * inputs with a key; a window is closed, and a record late for it, when `end + grace <= clock`. Null keys are dropped
 * without moving the clock; a null value is aggregated like any other.
 */
export function windowedAggregateNode(options: WindowedAggregateOptions): ExecutableNode {
  const { name, window, aggregation, store, caching, dropped, late } = options;
  const pending = new PendingChanges();
  let observedTimeMs = -1;

  return {
    name,
    get observedTimeMs() {
      return observedTimeMs;
    },
    // Set when the task starts again, too: until the first record, look-ups must not find windows that have expired.
    set observedTimeMs(ms: number) {
      observedTimeMs = ms;
      if (ms >= 0) store.observe(ms);
    },
    load(records) {
      const wanted: { key: unknown; windowStartMs: number }[] = [];
      for (const { key, timestamp } of records) {
        if (key === null) continue;
        for (const windowStartMs of windowStarts(window, timestamp)) wanted.push({ key, windowStartMs });
      }
      return store.load(wanted);
    },
    process(record: StreamRecord, emit: Emit) {
      const { key, value, timestamp } = record;
      if (key === null) {
        dropped.value += 1;
        return;
      }
      if (timestamp > observedTimeMs) this.observedTimeMs = timestamp;
      const closedUntilMs = observedTimeMs - window.graceMs;
      for (const startMs of windowStarts(window, timestamp)) {
        const endMs = startMs + window.sizeMs;
        const open = faults.wrongWindowEdge ? endMs >= closedUntilMs : endMs > closedUntilMs;
        if (!open) {
          late.value += 1;
          continue;
        }
        const old = store.getLoaded(key, startMs);
        const oldValue = old?.value ?? null;
        const newValue = aggregateOnce(aggregation, key, value, oldValue);
        const newTimestamp = old === undefined ? timestamp : Math.max(timestamp, old.timestamp);
        if (newValue === null) store.delete(key, startMs);
        else store.put(key, startMs, { value: newValue, timestamp: newTimestamp });
        const windowed: Windowed<unknown> = { key, window: { startMs, endMs } };
        if (caching) {
          pending.note(`${startMs}|${keyToken(key)}`, { key: windowed, oldValue, newValue, timestamp: newTimestamp });
        } else emit(record.with(windowed, change(newValue, oldValue), newTimestamp));
      }
    },
    hasPending: () => pending.size > 0,
    flush: (place, emit) => pending.flush(place, emit),
  };
}

/** Starts of the windows `[n·advance, n·advance + size)` that hold the timestamp, earliest first (TimeWindows#windowsFor). */
export function windowStarts({ sizeMs, advanceMs }: TimeWindow, timestamp: number): number[] {
  const starts: number[] = [];
  let start = Math.floor(Math.max(0, timestamp - sizeMs + advanceMs) / advanceMs) * advanceMs;
  for (; start <= timestamp; start += advanceMs) starts.push(start);
  return starts;
}
