import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  type DuckDBType,
  FLOAT,
  INTEGER,
  LIST,
  MAP,
  SMALLINT,
  STRUCT,
  TIMESTAMP,
  TIMESTAMPTZ,
  TINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { type DataType, decimalOf, type PrimitiveType } from './schema.ts';

/**
 * The DuckDB type that stands for a type of Delta, and becomes the right Parquet type when it is written: TIMESTAMPTZ is
 * microseconds adjusted to UTC, which is `timestamp`; TIMESTAMP is not adjusted, which is `timestamp_ntz` and needs a table
 * feature. `String(type)` is how SQL names it.
 */
export function duckTypeOf(type: DataType): DuckDBType {
  if (typeof type === 'string') return primitive(type);
  switch (type.type) {
    case 'struct':
      return STRUCT(Object.fromEntries(type.fields.map((field) => [field.name, duckTypeOf(field.type)])));
    case 'array':
      return LIST(duckTypeOf(type.elementType));
    case 'map':
      return MAP(duckTypeOf(type.keyType), duckTypeOf(type.valueType));
  }
}

function primitive(type: PrimitiveType): DuckDBType {
  const decimal = decimalOf(type);
  if (decimal !== undefined) return DECIMAL(decimal.precision, decimal.scale);
  return primitives[type as keyof typeof primitives];
}

const primitives = {
  boolean: BOOLEAN,
  byte: TINYINT,
  short: SMALLINT,
  integer: INTEGER,
  long: BIGINT,
  float: FLOAT,
  double: DOUBLE,
  string: VARCHAR,
  binary: BLOB,
  date: DATE,
  timestamp: TIMESTAMPTZ,
  timestamp_ntz: TIMESTAMP,
  // A column of nulls has some type in DuckDB.
  void: INTEGER,
} satisfies Readonly<Record<string, DuckDBType>>;
