import {
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import { identifier, literal } from '../parquet/sql.ts';
import { duckTypeOf } from '../schema/duck-type.ts';
import type { DataType, StructField } from '../schema/schema.ts';

/**
 * How a column of the table is had from what is in a file, as SQL. A file may be older than the schema: lack columns, have
 * narrower types (type widening), other names (column mapping), or write times as Spark 2 did. What fits is taken as it is,
 * so that DuckDB can leave out row groups.
 */
export function project(expression: string, from: DuckDBType, to: DataType, names: NamesInFile, depth = 0): string {
  const wanted = String(duckTypeOf(to));
  if (typeof to === 'string') return to === 'void' ? `CAST(NULL AS ${wanted})` : scalar(expression, from, to, wanted);
  if (names.asInSchema && String(from) === wanted) return expression;
  const item = `x${depth}`;
  switch (to.type) {
    case 'struct': {
      const entries = new Map(structEntries(from));
      const fields = to.fields.map((field) => {
        const name = names.nameOf(field, [...entries.keys()]);
        const entry = name === undefined ? undefined : entries.get(name);
        const value =
          entry === undefined
            ? `CAST(NULL AS ${duckTypeOf(field.type)})`
            : project(
                `struct_extract(${expression}, ${literal(name!)})`,
                entry,
                field.type,
                names.inside(name!),
                depth + 1,
              );
        return `${identifier(field.name)} := ${value}`;
      });
      return `CASE WHEN ${expression} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`;
    }
    case 'array': {
      const element = (from as DuckDBListType).valueType;
      return `list_transform(${expression}, lambda ${item}: ${project(item, element, to.elementType, names.inside('element'), depth + 1)})`;
    }
    case 'map': {
      const { keyType, valueType } = from as DuckDBMapType;
      const key = project(item, keyType, to.keyType, names.inside('key'), depth + 1);
      const value = project(item, valueType, to.valueType, names.inside('value'), depth + 1);
      const keys = `list_transform(map_keys(${expression}), lambda ${item}: ${key})`;
      const values = `list_transform(map_values(${expression}), lambda ${item}: ${value})`;
      return `CASE WHEN ${expression} IS NULL THEN NULL ELSE map(${keys}, ${values}) END`;
    }
  }
}

/** What a field of the schema is called in the file, level by level. */
export interface NamesInFile {
  /** Files have the names of the schema: a column of the wanted type needs no renaming inside. */
  readonly asInSchema: boolean;
  /** Undefined where the file does not have it. */
  nameOf(field: StructField, present: readonly string[]): string | undefined;
  /** Of the fields inside the one that is called so. */
  inside(name: string): NamesInFile;
}

function scalar(expression: string, from: DuckDBType, to: DataType, wanted: string): string {
  const adjusted = from.typeId === DuckDBTypeId.TIMESTAMP_TZ;
  switch (to) {
    case 'timestamp':
      // INT96, and times that are not said to be adjusted to UTC, are UTC in Delta all the same.
      return adjusted ? expression : `(CAST(${expression} AS TIMESTAMP) AT TIME ZONE 'UTC')`;
    case 'timestamp_ntz':
      if (adjusted) return `(${expression} AT TIME ZONE 'UTC')`;
      break;
    case 'string':
      if (from.typeId === DuckDBTypeId.BLOB) return `decode(${expression})`;
      break;
    case 'binary':
      if (from.typeId === DuckDBTypeId.VARCHAR) return `encode(${expression})`;
      break;
    default:
  }
  return String(from) === wanted ? expression : `CAST(${expression} AS ${wanted})`;
}

function structEntries(type: DuckDBType): readonly (readonly [string, DuckDBType])[] {
  const { entryNames, entryTypes } = type as DuckDBStructType;
  return entryNames.map((name, at) => [name, entryTypes[at]!]);
}
