import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type DataType, decimalOf } from './schema.ts';

/**
 * Values of a table as JavaScript has them, the same when they are appended and when they are read:
 *
 *     boolean                boolean            date                     'YYYY-MM-DD'
 *     byte, short, integer   number             timestamp, timestamp_ntz bigint, µs since 1970-01-01 00:00 (UTC)
 *     float, double          number             decimal                  string, as '12.50'
 *     long                   bigint             array                    array
 *     string                 string             map                      Map
 *     binary                 Uint8Array         struct                   object
 *
 * An append takes a safe integer for a long, a Date for a timestamp and a number for a decimal as well.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | { readonly [field: string]: Value };

export type Row = Readonly<Record<string, Value>>;

/** Thrown by `encoderOf`; who knows column and row makes a MillraceError of it. */
export class UnfitValue extends Error {}

/** From a value of a row to DuckDB's. Absent is null. */
export function encoderOf(
  type: DataType,
  { nullable, what }: { readonly nullable: boolean; readonly what: string },
): (value: Value | undefined) => DuckDBValue {
  const encode = nonNullEncoder(type);
  return (value) => {
    if (value !== null && value !== undefined) return encode(value);
    if (!nullable) throw new UnfitValue(`wants ${what} that is not null, found null`);
    return null;
  };
}

/** From DuckDB's value to that of a row. */
export function decoderOf(type: DataType): (value: DuckDBValue) => Value {
  const decode = nonNullDecoder(type);
  return (value) => (value === null || value === undefined ? null : decode(value));
}

function nonNullEncoder(type: DataType): (value: Value) => DuckDBValue {
  if (typeof type === 'object') {
    switch (type.type) {
      case 'array': {
        const element = encoderOf(type.elementType, { nullable: type.containsNull, what: 'an element' });
        return (value) => new DuckDBListValue(of<readonly Value[]>(Array.isArray, value, 'an array').map(element));
      }
      case 'map': {
        const key = encoderOf(type.keyType, { nullable: false, what: 'a key' });
        const entry = encoderOf(type.valueType, { nullable: type.valueContainsNull, what: 'an entry' });
        return (value) => {
          if (!(value instanceof Map)) throw unfit('a Map', value);
          return new DuckDBMapValue(
            [...(value as Map<Value, Value>)].map(([k, v]) => ({ key: key(k), value: entry(v) })),
          );
        };
      }
      case 'struct': {
        const fields = type.fields.map(({ name, type: inner, nullable }) => {
          return [name, encoderOf(inner, { nullable, what: `the field '${name}'` })] as const;
        });
        return (value) => {
          if (!isRecord(value)) throw unfit('an object', value);
          return new DuckDBStructValue(Object.fromEntries(fields.map(([name, encode]) => [name, encode(value[name])])));
        };
      }
    }
  }
  const decimal = decimalOf(type);
  if (decimal !== undefined) return (value) => encodeDecimal(value, decimal.precision, decimal.scale);
  switch (type) {
    case 'boolean':
      return (value) => of((each) => typeof each === 'boolean', value, 'true or false');
    case 'byte':
      return integers(-0x80, 0x7f);
    case 'short':
      return integers(-0x8000, 0x7fff);
    case 'integer':
      return integers(-0x8000_0000, 0x7fff_ffff);
    case 'long':
      return encodeLong;
    case 'float':
    case 'double':
      return (value) => of((each) => typeof each === 'number', value, 'a number');
    case 'string':
      return (value) => of((each) => typeof each === 'string', value, 'a string');
    case 'binary':
      return (value) => new DuckDBBlobValue(of((each) => each instanceof Uint8Array, value, 'a Uint8Array'));
    case 'date':
      return (value) => new DuckDBDateValue(daysOf(value));
    case 'timestamp':
      return (value) => new DuckDBTimestampTZValue(microsOf(value));
    case 'timestamp_ntz':
      return (value) => new DuckDBTimestampValue(microsOf(value));
    default:
      return (value) => {
        throw unfit('null', value);
      };
  }
}

function nonNullDecoder(type: DataType): (value: DuckDBValue) => Value {
  if (typeof type === 'object') {
    switch (type.type) {
      case 'array': {
        const element = decoderOf(type.elementType);
        return (value) => (value as DuckDBListValue).items.map(element);
      }
      case 'map': {
        const [key, entry] = [decoderOf(type.keyType), decoderOf(type.valueType)];
        return (value) => new Map((value as DuckDBMapValue).entries.map((each) => [key(each.key), entry(each.value)]));
      }
      case 'struct': {
        const fields = type.fields.map((field) => [field.name, decoderOf(field.type)] as const);
        return (value) => {
          const { entries } = value as DuckDBStructValue;
          return Object.fromEntries(fields.map(([name, decode]) => [name, decode(entries[name]!)]));
        };
      }
    }
  }
  if (decimalOf(type) !== undefined) return (value) => (value as DuckDBDecimalValue).toString();
  switch (type) {
    case 'binary':
      return (value) => new Uint8Array((value as DuckDBBlobValue).bytes);
    case 'date':
      return (value) => (value as DuckDBDateValue).toString();
    case 'timestamp':
    case 'timestamp_ntz':
      return (value) => (value as DuckDBTimestampValue).micros;
    default:
      return (value) => value as Value;
  }
}

function integers(min: number, max: number): (value: Value) => number {
  return (value) => {
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
    if (!fits) throw unfit(`an integer from ${min} to ${max}`, value);
    return value;
  };
}

function encodeLong(value: Value): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw unfit('a 64-bit integer', value);
  return value;
}

function encodeDecimal(value: Value, precision: number, scale: number): DuckDBDecimalValue {
  const text =
    typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'bigint' ? `${value}` : '';
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
  const [, sign = '', whole = '', fraction = ''] = match ?? [];
  const digits = whole.replace(/^0+/, '');
  const needed = fraction.replace(/0+$/, '');
  if (match === null || whole + fraction === '' || needed.length > scale || digits.length > precision - scale) {
    throw unfit(`a decimal of ${precision} digits, ${scale} of them behind the point`, value);
  }
  const unscaled = BigInt(`${digits}${needed.padEnd(scale, '0')}` || '0');
  return new DuckDBDecimalValue(sign === '-' ? -unscaled : unscaled, precision, scale);
}

function daysOf(value: Value): number {
  const text = typeof value === 'string' && /^\d{4,}-\d\d-\d\d$/.test(value) ? value : undefined;
  const ms = text === undefined ? Number.NaN : Date.parse(`${text}T00:00:00Z`);
  // The calendar of JavaScript lets the 31st of April be the 1st of May.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text) throw unfit("a day as '2026-01-31'", value);
  return ms / 86_400_000;
}

function microsOf(value: Value): bigint {
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return BigInt(value.getTime()) * 1000n;
  throw unfit('microseconds as a bigint, or a Date', value);
}

function of<T extends Value>(is: (value: Value) => boolean, value: Value, wanted: string): T {
  if (!is(value)) throw unfit(wanted, value);
  return value as T;
}

function isRecord(value: Value): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

function unfit(wanted: string, value: Value): UnfitValue {
  const found = typeof value === 'string' ? `'${value.slice(0, 40)}'` : typeof value === 'object' ? 'an object' : value;
  return new UnfitValue(`wants ${wanted}, found ${found}`);
}
