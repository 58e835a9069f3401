import type { Aggregation, AnyRecord, Operator, TimeWindow } from '../../topology/graph/operator.ts';
import type { Change, Windowed } from '../../topology/record.ts';
import type { NaiveTask } from './naive-interpreter.ts';
import { isNull, type NaiveRow, type NaiveTable } from './naive-store.ts';

type Forward = (record: AnyRecord) => void;

/** One record through one operator, at once: what it does to the store and what it forwards, in order. */
export function runOperator(
  task: NaiveTask,
  operator: Exclude<Operator, { op: 'process' }>,
  record: AnyRecord,
  forward: Forward,
): void {
  const { key, value } = record;
  switch (operator.op) {
    case 'filter':
      if (operator.predicate(key, value) !== operator.not) forward(record);
      return;
    case 'map': {
      const [newKey, newValue] = operator.mapper(key, value);
      forward({ ...record, key: newKey, value: newValue });
      return;
    }
    case 'mapValues':
      forward({ ...record, value: operator.mapper(value, key) });
      return;
    case 'flatMap':
      for (const [newKey, newValue] of operator.mapper(key, value))
        forward({ ...record, key: newKey, value: newValue });
      return;
    case 'flatMapValues':
      for (const newValue of operator.mapper(value, key)) forward({ ...record, value: newValue });
      return;
    case 'selectKey':
      forward({ ...record, key: operator.mapper(key, value) });
      return;
    case 'peek':
      operator.action(key, value);
      forward(record);
      return;
    case 'foreach':
      operator.action(key, value);
      return;
    case 'passThrough':
      forward(record);
      return;
    case 'dropNullKeys':
      if (!isNull(key)) forward(record);
      return;
    case 'tableSource':
      putIntoTable(operator.store === undefined ? undefined : task.tables.get(operator.store)!, record, forward);
      return;
    case 'toStream': {
      const { newValue } = value as Change<unknown>;
      forward({
        ...record,
        key: operator.mapper === undefined ? key : operator.mapper(key, newValue),
        value: newValue,
      });
      return;
    }
    case 'aggregate': {
      if (isNull(key) || isNull(value)) return;
      const { change, timestamp } = aggregateInto(task.tables.get(operator.store)!, operator.aggregation, record, -1);
      forward({ ...record, value: change, timestamp });
      return;
    }
    case 'windowedAggregate':
      aggregateIntoWindows(task.tables.get(operator.store)!, operator.window, operator.aggregation, record, forward);
      return;
    case 'streamTableJoin': {
      // An inner join needs a key. A left join without one finds nothing and joins with null. Both need a value.
      if (isNull(value) || (isNull(key) && !operator.left)) return;
      const right = isNull(key) ? undefined : task.tables.get(operator.store)!.get(key);
      if (right === undefined && !operator.left) return;
      forward({ ...record, value: operator.joiner(key, value, right?.value ?? null) });
      return;
    }
  }
}

/** The order of arrival wins, whatever the timestamps say. A table without a store doesn't know what was before. */
function putIntoTable(table: NaiveTable | undefined, record: AnyRecord, forward: Forward): void {
  const { key, value, timestamp } = record;
  if (isNull(key)) return;
  const oldValue = table?.get(key)?.value ?? null;
  table?.put({ key, windowStartMs: -1, value, timestamp });
  forward({ ...record, value: { newValue: value, oldValue } });
}

/** The update of one row: its timestamp is the latest of all records that went into it. */
function aggregateInto(table: NaiveTable, aggregation: Aggregation, record: AnyRecord, windowStartMs: number) {
  const old = table.get(record.key, windowStartMs);
  const newValue = nextAggregate(aggregation, record, old) ?? null;
  const timestamp = Math.max(record.timestamp, old?.timestamp ?? record.timestamp);
  table.put({ key: record.key, windowStartMs, value: newValue, timestamp });
  const change: Change<unknown> = { newValue, oldValue: old?.value ?? null };
  return { change, timestamp };
}

function nextAggregate(aggregation: Aggregation, { key, value }: AnyRecord, old: NaiveRow | undefined): unknown {
  switch (aggregation.kind) {
    case 'count':
      return ((old?.value as number | undefined) ?? 0) + 1;
    case 'reduce':
      return old === undefined ? value : aggregation.reducer(old.value, value);
    case 'aggregate':
      return aggregation.aggregator(key, value, old === undefined ? aggregation.initializer() : old.value);
  }
}

/**
 * Records without a key are dropped before they move the operator's stream time; null values are aggregated. A window
 * takes a record as long as its end lies after `stream time − grace`.
 */
function aggregateIntoWindows(
  table: NaiveTable,
  window: TimeWindow,
  aggregation: Aggregation,
  record: AnyRecord,
  forward: Forward,
): void {
  if (isNull(record.key)) return;
  table.streamTimeMs = Math.max(table.streamTimeMs, record.timestamp);
  const closeTimeMs = table.streamTimeMs - window.graceMs;
  for (const startMs of windowStarts(window, record.timestamp)) {
    const endMs = startMs + window.sizeMs;
    if (endMs <= closeTimeMs) continue;
    const { change, timestamp } = aggregateInto(table, aggregation, record, startMs);
    const key: Windowed<unknown> = { key: record.key, window: { startMs, endMs } };
    forward({ ...record, key, value: change, timestamp });
  }
}

/** Starts, earliest first, of the windows that hold the time; none before 0. */
function windowStarts(window: TimeWindow, timestampMs: number): number[] {
  const starts: number[] = [];
  for (let n = Math.floor(timestampMs / window.advanceMs); n >= 0; n--) {
    if (n * window.advanceMs + window.sizeMs <= timestampMs) break;
    starts.unshift(n * window.advanceMs);
  }
  return starts;
}
