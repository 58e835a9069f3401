import { MillraceError } from '../../../schemas/errors.ts';
import { identifier, literal } from '../parquet/sql.ts';
import { duckTypeOf } from '../schema/duck-type.ts';
import type { DataType, StructType } from '../schema/schema.ts';
import type { Value } from '../schema/value.ts';

/** A condition on a column. Several hold together: all must be true. Null is never equal to, or less than, anything. */
export type Filter =
  | { readonly column: string; readonly op: '=' | '<' | '<=' | '>' | '>='; readonly value: Comparable }
  | { readonly column: string; readonly op: 'in'; readonly values: readonly Comparable[] }
  | { readonly column: string; readonly op: 'is null' | 'is not null' };

/** A value of a row (value.ts) that can be compared. */
export type Comparable = Exclude<Value, null | Uint8Array | object> | Date;

export function filterSql(filters: readonly Filter[], schema: StructType): string {
  if (filters.length === 0) return 'true';
  return filters.map((filter) => conditionSql(filter, columnType(schema, filter.column))).join(' AND ');
}

/** @throws MillraceError `INVALID_ARGUMENT` for a column that is not in the schema */
export function columnType({ fields }: StructType, column: string): DataType {
  const field = fields.find((each) => each.name === column);
  if (field !== undefined) return field.type;
  const known = fields.map((each) => each.name).join(', ');
  throw new MillraceError('INVALID_ARGUMENT', `The table has no column '${column}': it has ${known}`, { column });
}

function conditionSql(filter: Filter, type: DataType): string {
  const column = identifier(filter.column);
  switch (filter.op) {
    case 'is null':
    case 'is not null':
      return `${column} ${filter.op.toUpperCase()}`;
    case 'in':
      if (filter.values.length === 0) return 'false';
      return `${column} IN (${filter.values.map((value) => valueSql(value, type, filter.column)).join(', ')})`;
    default:
      return `${column} ${filter.op} ${valueSql(filter.value, type, filter.column)}`;
  }
}

function valueSql(value: Comparable, type: DataType, column: string): string {
  if (typeof type !== 'string') throw unfit(column, type.type);
  if (type === 'timestamp' || type === 'timestamp_ntz') {
    const micros = value instanceof Date ? BigInt(value.getTime()) * 1000n : value;
    if (typeof micros !== 'bigint') throw unfit(column, `microseconds as a bigint, found ${String(value)}`);
    return type === 'timestamp' ? `make_timestamptz(${micros})` : `make_timestamp(${micros})`;
  }
  return `CAST(${literal(value instanceof Date ? value.toISOString() : String(value))} AS ${duckTypeOf(type)})`;
}

function unfit(column: string, what: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `The column '${column}' can't be compared: it wants ${what}`, {
    column,
  });
}
