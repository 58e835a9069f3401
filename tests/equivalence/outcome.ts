import type { BuiltPlan } from './build-plan.ts';
import type { Plan } from './plan.ts';

/** All that a run leaves behind, in one shape for the interpreter and the runtime. */
export interface Outcome {
  readonly sinks: ReadonlyMap<string, readonly OutputRecord[]>;
  readonly stores: ReadonlyMap<string, readonly StoreRow[]>;
  /** What peek nodes saw, in order. */
  readonly peeks: ReadonlyMap<string, readonly unknown[]>;
}

export interface OutputRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
}

export interface StoreRow {
  readonly partition: number;
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp?: number;
  readonly windowStartMs?: number;
}

export interface ComparisonOptions {
  /** Off where a crash made the runtime process records twice. */
  readonly peeks: boolean;
}

/**
 * Compares what is defined, and says where the first difference is; undefined when there is none.
 *
 * With one partition a sink's whole content is in order; with several, what tasks send to a sink mixes as it comes, and
 * the order of each key's records is defined. Behind a record cache it is the last value of each key.
 */
export function difference(
  { plan, built, expected, actual }: { plan: Plan; built: BuiltPlan; expected: Outcome; actual: Outcome },
  { peeks }: ComparisonOptions,
): string | undefined {
  for (const { topic, compare } of built.sinks) {
    const [wanted, found] = [expected, actual].map(({ sinks }) => {
      const records = sinks.get(topic) ?? [];
      if (compare === 'lastValue') return lastValues(records);
      return plan.partitions === 1 ? records.map(line) : byKey(records);
    });
    const where = firstDifference(wanted!, found!);
    if (where !== undefined) return `sink ${topic}: ${where}`;
  }
  for (const store of built.graph.stores.keys()) {
    const [wanted, found] = [expected, actual].map(({ stores }) => (stores.get(store) ?? []).map(rowLine).sort());
    const where = firstDifference(wanted!, found!);
    if (where !== undefined) return `store ${store}: ${where}`;
  }
  if (!peeks || plan.partitions > 1) return undefined;
  for (const node of new Set([...expected.peeks.keys(), ...actual.peeks.keys()])) {
    const [wanted, found] = [expected, actual].map((each) =>
      (each.peeks.get(node) ?? []).map((seen) => JSON.stringify(seen)),
    );
    const where = firstDifference(wanted!, found!);
    if (where !== undefined) return `${node}: ${where}`;
  }
  return undefined;
}

function line({ key, value, timestamp }: OutputRecord): string {
  return JSON.stringify([key, value ?? null, timestamp]);
}

function rowLine({ partition, key, value, timestamp, windowStartMs }: StoreRow): string {
  return JSON.stringify([partition, key, windowStartMs ?? null, value, timestamp ?? null]);
}

/** In order of keys, each key's records in their order. */
function byKey(records: readonly OutputRecord[]): string[] {
  const ofKeys = new Map<string, string[]>();
  for (const record of records) {
    const key = JSON.stringify(record.key);
    ofKeys.set(key, [...(ofKeys.get(key) ?? []), line(record)]);
  }
  return [...ofKeys].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, lines]) => lines);
}

/** A key that was deleted before anything was forwarded is not there, like one that was deleted after it. */
function lastValues(records: readonly OutputRecord[]): string[] {
  const last = new Map(records.map((record) => [JSON.stringify(record.key), record]));
  return [...last.values()]
    .filter(({ value }) => value !== null && value !== undefined)
    .map(line)
    .sort();
}

function firstDifference(wanted: readonly string[], found: readonly string[]): string | undefined {
  for (let i = 0; i < Math.max(wanted.length, found.length); i++) {
    if (wanted[i] !== found[i]) {
      return `wanted ${wanted[i] ?? 'nothing'}, found ${found[i] ?? 'nothing'} (${i + 1} of ${wanted.length} and ${found.length})`;
    }
  }
  return undefined;
}
