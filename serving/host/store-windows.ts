import {
  hourMs,
  hourStartMs,
  parseMonthKey,
  storeNames,
  type MonthOfFunnels,
  type MonthOfHours,
  type SessionWindows,
} from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { concatBytes, prefixEnd, type EngineSnapshot, type KeyRange } from '../../state/index.ts';
import type { StoreSpec } from '../../topology/index.ts';
import type { StoreWindow, StoreWindows, WindowsRequest } from './messages.ts';
import { encodeKey } from './store-rows.ts';

/**
 * The windows, or periods, of one key: those that overlap `[fromMs, toMs)`, ascending in time, all of one snapshot.
 *
 *     session-windows                 key ──> its one row ──────────────> windows    endMs: of the last event, inclusive
 *     product-hours, category-hours   id ───> rows of <id>/<yyyy-mm> ───> hours      endMs: where the next one begins
 *     category-funnels                id ───> rows of <id>/<yyyy-mm> ───> days       likewise
 *
 * An answer is not paged, so what it may hold is bounded: who wants more asks for shorter times.
 *
 * @returns undefined where the store has nothing of the key at any time.
 */
export async function windowsOf(
  snapshot: EngineSnapshot,
  { spec, partitions, request }: WindowsOf,
): Promise<StoreWindows | undefined> {
  const layout = layouts[spec.name];
  if (layout === undefined) {
    const message = `Store '${spec.name}' holds no windows; those that do: ${Object.keys(layouts).join(', ')}.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { store: spec.name });
  }
  const from = encodeKey(spec, layout.byMonth ? `${request.key}/` : request.key);
  const to = layout.byMonth ? prefixEnd(from) : undefined;
  for (const { partition, prefix } of partitions) {
    const gte = concatBytes(prefix, from);
    const range: KeyRange = { gte, lt: to === undefined ? concatBytes(gte, zero) : concatBytes(prefix, to) };
    const windows: StoreWindow[] = [];
    let found = false;
    for await (const entries of snapshot.range('state', range)) {
      for (const { key, value } of entries) {
        const { id, month } = layout.byMonth
          ? parseMonthKey(textOf(spec, key, prefix))
          : { id: request.key, month: '' };
        // Another key may begin with this one and a slash.
        if (id !== request.key) continue;
        found = true;
        for (const window of layout.windows(spec.valueSerde.deserialize(value), month)) {
          if (overlaps(window, request, layout)) windows.push(window);
        }
        if (windows.length > windowsMax) throw tooMany(request);
      }
    }
    if (found) return { partition, windows: windows.toSorted((a, b) => a.startMs - b.startMs) };
  }
  return undefined;
}

export interface WindowsOf {
  readonly spec: StoreSpec;
  readonly partitions: readonly { readonly partition: number; readonly prefix: Uint8Array }[];
  readonly request: WindowsRequest;
}

/** About fourteen months of hours. */
export const windowsMax = 10_000;

/** How the rows of a store hold windows. */
interface WindowLayout {
  /** Rows are of an id and a UTC month; else one row has all windows of the key. */
  readonly byMonth: boolean;
  readonly endInclusive: boolean;
  windows(row: unknown, month: string): Iterable<StoreWindow>;
}

const hours: WindowLayout = {
  byMonth: true,
  endInclusive: false,
  *windows(row, month) {
    for (const { hour, ...value } of row as MonthOfHours) {
      const startMs = hourStartMs(month, hour);
      yield { startMs, endMs: startMs + hourMs, value };
    }
  },
};

const days: WindowLayout = {
  byMonth: true,
  endInclusive: false,
  *windows(row, month) {
    for (const { day, ...value } of row as MonthOfFunnels) {
      const startMs = hourStartMs(month, 24 * (day - 1));
      yield { startMs, endMs: startMs + 24 * hourMs, value };
    }
  },
};

const sessions: WindowLayout = {
  byMonth: false,
  endInclusive: true,
  *windows(row) {
    for (const { startMs, endMs, ...value } of row as SessionWindows) yield { startMs, endMs, value };
  },
};

const layouts: Readonly<Record<string, WindowLayout>> = {
  [storeNames.sessionWindows]: sessions,
  [storeNames.productHours]: hours,
  [storeNames.categoryHours]: hours,
  [storeNames.categoryFunnels]: days,
};

function overlaps({ startMs, endMs }: StoreWindow, { fromMs, toMs }: WindowsRequest, { endInclusive }: WindowLayout) {
  if (toMs !== null && startMs >= toMs) return false;
  return fromMs === null || (endInclusive ? endMs >= fromMs : endMs > fromMs);
}

function textOf(spec: StoreSpec, key: Uint8Array, prefix: Uint8Array): string {
  return spec.keySerde.deserialize(key.subarray(prefix.length)) as string;
}

function tooMany({ store, key }: WindowsRequest): MillraceError {
  const message = `Windows of '${key}' in '${store}' want times that hold at most ${windowsMax}, found more: bring 'from' and 'to' closer together.`;
  return new MillraceError('INVALID_ARGUMENT', message, { store, key, windowsMax });
}

const zero = Uint8Array.of(0);
