import type { AddFile } from '../log/action.ts';
import { type Json, JsonDecimal, parseExactJson } from '../log/exact-json.ts';
import { type DataType, decimalOf, type StructType } from '../schema/schema.ts';
import { columnType, type Comparable, type Filter } from './filter.ts';
import { type ColumnMapping, physicalName } from './names-in-file.ts';

/**
 * Whether a file may have a row that the filters let through, by its partition values and statistics. In doubt it may: a value
 * that is missing, or not understood, rules nothing out. Other engines cut strings and times, and mean the cut value as a
 * bound or not; both are allowed for.
 */
export function mayMatch(
  file: AddFile,
  filters: readonly Filter[],
  table: { readonly schema: StructType; readonly partitionColumns: readonly string[]; readonly mapping: ColumnMapping },
): boolean {
  if (filters.length === 0) return true;
  let statistics: Statistics | undefined;
  return filters.every((filter) => {
    const type = columnType(table.schema, filter.column);
    const name = physicalName(
      table.schema.fields.find((field) => field.name === filter.column)!,
      table.mapping,
    );
    if (table.partitionColumns.includes(filter.column)) {
      const text = file.partitionValues[name] ?? null;
      return partitionMayMatch(filter, type, text === '' ? null : text);
    }
    statistics ??= readStatistics(file.stats);
    return rangeMayMatch(filter, type, rangeOf(statistics, name, type));
  });
}

interface Statistics {
  readonly numRecords?: Json;
  readonly minValues?: Json;
  readonly maxValues?: Json;
  readonly nullCount?: Json;
}

interface Range {
  readonly min: Ordered | undefined;
  readonly max: Ordered | undefined;
  readonly allNull: boolean;
  readonly noNull: boolean;
}

/** What values are compared as. Strings go by code point, as UTF-8 bytes do, not by JavaScript's own order. */
type Ordered = number | bigint | string;

function readStatistics(stats: string | undefined): Statistics {
  if (stats === undefined) return {};
  try {
    const json = parseExactJson(stats);
    return typeof json === 'object' && json !== null ? (json as Statistics) : {};
  } catch {
    return {}; // Statistics that nobody can read say nothing.
  }
}

function rangeOf(statistics: Statistics, name: string, type: DataType): Range {
  const of = (values: Json | undefined): Json | undefined =>
    typeof values === 'object' && values !== null && Object.hasOwn(values, name)
      ? (values as Readonly<Record<string, Json>>)[name]
      : undefined;
  const nulls = of(statistics.nullCount);
  const records = statistics.numRecords;
  return {
    min: orderedStatistic(of(statistics.minValues), type, 'min'),
    max: orderedStatistic(of(statistics.maxValues), type, 'max'),
    allNull: typeof nulls === 'number' && typeof records === 'number' && nulls === records,
    noNull: nulls === 0,
  };
}

function rangeMayMatch(filter: Filter, type: DataType, { min, max, allNull, noNull }: Range): boolean {
  if (!('value' in filter) && !('values' in filter)) return filter.op === 'is null' ? !noNull : !allNull;
  if (allNull) return false;
  // NaN is greater than every number for Delta and DuckDB, and some writers leave it out of the maximum.
  const unbounded = type === 'float' || type === 'double' ? undefined : max;
  const inside = (value: Comparable): boolean => {
    const wanted = orderedValue(value, type);
    if (wanted === undefined) return true;
    const upper = typeof wanted === 'number' && Number.isNaN(wanted) ? undefined : max;
    return (min === undefined || compare(min, wanted) <= 0) && (upper === undefined || compare(upper, wanted) >= 0);
  };
  switch (filter.op) {
    case '=':
      return inside(filter.value);
    case 'in':
      return filter.values.some(inside);
    default:
  }
  const wanted = orderedValue(filter.value, type);
  if (wanted === undefined) return true;
  switch (filter.op) {
    case '<':
      return min === undefined || Number.isNaN(wanted) || compare(min, wanted) < 0;
    case '<=':
      return min === undefined || Number.isNaN(wanted) || compare(min, wanted) <= 0;
    case '>':
      return unbounded === undefined || compare(unbounded, wanted) > 0;
    case '>=':
      return unbounded === undefined || compare(unbounded, wanted) >= 0;
  }
}

function partitionMayMatch(filter: Filter, type: DataType, text: string | null): boolean {
  if (text === null) return filter.op === 'is null';
  if (filter.op === 'is null') return false;
  const value = orderedText(text, type);
  if (value === undefined) return true;
  return rangeMayMatch(filter, type, { min: value, max: value, allNull: false, noNull: true });
}

/** Microseconds that a time in statistics may have lost, when it was cut to the millisecond. */
const cutMicros = 999n;

function orderedStatistic(json: Json | undefined, type: DataType, side: 'min' | 'max'): Ordered | undefined {
  if (json === undefined || json === null) return undefined;
  if (type === 'timestamp' || type === 'timestamp_ntz') {
    const micros = typeof json === 'string' ? orderedText(json, type) : undefined;
    return typeof micros === 'bigint' && side === 'max' ? micros + cutMicros : micros;
  }
  if (typeof json === 'string') return orderedText(json, type);
  if (json instanceof JsonDecimal) return orderedText(json.text, type);
  return typeof json === 'number' || typeof json === 'bigint' ? orderedText(String(json), type) : undefined;
}

function orderedValue(value: Comparable, type: DataType): Ordered | undefined {
  if (type === 'timestamp' || type === 'timestamp_ntz') {
    return value instanceof Date ? BigInt(value.getTime()) * 1000n : typeof value === 'bigint' ? value : undefined;
  }
  return value instanceof Date ? undefined : orderedText(String(value), type);
}

function orderedText(text: string, type: DataType): Ordered | undefined {
  const decimal = decimalOf(type);
  if (decimal !== undefined) return scaled(text);
  switch (type) {
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined;
    case 'float':
    case 'double': {
      const number = Number(text);
      // 0.1 as a float is not 0.1 as a double.
      return Number.isNaN(number) && text !== 'NaN' ? undefined : type === 'float' ? Math.fround(number) : number;
    }
    case 'string':
      return text;
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined;
    case 'boolean':
      return text === 'true' ? 1 : text === 'false' ? 0 : undefined;
    case 'timestamp':
    case 'timestamp_ntz':
      return microsOf(text);
    default:
      return undefined;
  }
}

/** A decimal as an integer with 38 digits behind the point; undefined for a notation that is not plain. */
function scaled(text: string): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d{1,38}))?$/.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2]! + (match[3] ?? '').padEnd(38, '0'));
  return match[1] === '-' ? -magnitude : magnitude;
}

function microsOf(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, day, time, fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${day}T${time}${/^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function compare(left: Ordered, right: Ordered): number {
  if (typeof left === 'string' && typeof right === 'string') return compareCodePoints(left, right);
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareCodePoints(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
