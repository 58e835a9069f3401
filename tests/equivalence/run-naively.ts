import type { BuiltPlan } from './build-plan.ts';
import type { History } from './history.ts';
import { jsonSerde } from './json-serde.ts';
import { NaiveInterpreter } from './naive-interpreter.ts';
import type { Outcome, StoreRow } from './outcome.ts';
import type { Plan } from './plan.ts';

/** The history through the interpreter: crashes and batches mean nothing to it. */
export function runNaively(plan: Plan, built: BuiltPlan, history: History): Omit<Outcome, 'peeks'> {
  const partitions = Object.fromEntries(Array.from({ length: plan.topics }, (_, i) => [`in-${i}`, plan.partitions]));
  const interpreter = new NaiveInterpreter(built.graph, { partitions });
  for (const { records, advanceWallClockMs } of history.rounds) {
    for (const { topic, key, value, timestamp } of records) {
      const keyBytes = key === null ? undefined : jsonSerde.serialize(key);
      interpreter.append(`in-${topic % plan.topics}`, { key, value, timestamp }, keyBytes);
    }
    interpreter.run();
    interpreter.advanceWallClock(advanceWallClockMs);
  }
  const sinks = new Map(built.sinks.map(({ topic }) => [topic, interpreter.topic(topic).flat()]));
  const stores = new Map([...built.graph.stores.keys()].map((store) => [store, rowsOf(interpreter, built, store)]));
  return { sinks, stores };
}

/** A window whose start lies before `stream time − retention` has expired. */
function rowsOf(interpreter: NaiveInterpreter, built: BuiltPlan, store: string): StoreRow[] {
  const spec = built.graph.stores.get(store)!;
  const rows: StoreRow[] = [];
  for (let partition = 0; partition < interpreter.storePartitions(store); partition++) {
    const { tables, keyValueStores } = interpreter.task(store, partition);
    for (const [key, value] of keyValueStores.get(store)?.rows.values() ?? []) rows.push({ partition, key, value });
    const table = tables.get(store);
    for (const { key, value, timestamp, windowStartMs } of table?.rows.values() ?? []) {
      if (spec.kind !== 'window') rows.push({ partition, key, value, timestamp });
      else if (windowStartMs >= table!.streamTimeMs - spec.retentionMs) {
        rows.push({ partition, key, value, timestamp, windowStartMs });
      }
    }
  }
  return rows;
}
