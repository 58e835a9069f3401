import { DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api';
import { MillraceError } from '../../../schemas/errors.ts';
import { duckTypeOf } from '../schema/duck-type.ts';
import { type StructType, typeName } from '../schema/schema.ts';
import { encoderOf, type Row, UnfitValue, type Value } from '../schema/value.ts';
import type { DuckDbSession } from './duck-db.ts';
import { identifier } from './sql.ts';

/** Rows to be written: by row, or by column, which is faster. Every column as long as the others. */
export type Rows = readonly Row[] | { readonly columns: Readonly<Record<string, readonly Value[]>> };

export function rowCount(rows: Rows): number {
  return 'columns' in rows ? (Object.values(rows.columns)[0]?.length ?? 0) : rows.length;
}

/**
 * Brings rows into a temporary table of a session, 2,048 at a time and by column: three to four times as fast as value by
 * value, and no text of SQL is made of them.
 * @throws MillraceError `ROW_INVALID`, naming column and row, for a value that does not fit its type, a null where none may
 *   be, and a column that the schema does not have
 */
export async function loadRows(session: DuckDbSession, table: string, schema: StructType, rows: Rows): Promise<void> {
  const types = schema.fields.map((field) => duckTypeOf(field.type));
  const columns = schema.fields.map(({ name }, at) => `${identifier(name)} ${types[at]}`);
  await session.run(`CREATE TEMP TABLE ${identifier(table)} (${columns.join(', ')})`);
  checkColumns(schema, rows);
  const encoders = schema.fields.map(({ type, nullable }) => encoderOf(type, { nullable, what: 'a value' }));
  const appender = await session.connection.createAppender(table, 'main', 'temp');
  const count = rowCount(rows);
  for (let from = 0; from < count; from += chunkRows) {
    const to = Math.min(count, from + chunkRows);
    const chunk = DuckDBDataChunk.create(types, to - from);
    const encoded = schema.fields.map((field, at) => encodeColumn(rows, field, encoders[at]!, from, to));
    chunk.setColumns(encoded);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

const chunkRows = 2048;

function encodeColumn(
  rows: Rows,
  { name, type }: StructType['fields'][number],
  encode: (value: Value | undefined) => DuckDBValue,
  from: number,
  to: number,
): DuckDBValue[] {
  const values = 'columns' in rows ? rows.columns[name] : undefined;
  const encoded = new Array<DuckDBValue>(to - from);
  for (let row = from; row < to; row++) {
    const value = 'columns' in rows ? values?.[row] : rows[row]![name];
    try {
      encoded[row - from] = encode(value);
    } catch (error) {
      if (!(error instanceof UnfitValue)) throw error;
      throw invalid(name, row, `of type ${typeName(type)} ${error.message}`);
    }
  }
  return encoded;
}

function checkColumns(schema: StructType, rows: Rows): void {
  const known = new Set(schema.fields.map((field) => field.name));
  if ('columns' in rows) {
    const wanted = rowCount(rows);
    for (const [name, values] of Object.entries(rows.columns)) {
      if (!known.has(name)) throw invalid(name, 0, 'is not in the schema');
      if (values.length !== wanted)
        throw invalid(name, 0, `wants ${wanted} values as the others, found ${values.length}`);
    }
  } else {
    rows.forEach((row, at) => {
      for (const name of Object.keys(row)) if (!known.has(name)) throw invalid(name, at, 'is not in the schema');
    });
  }
}

function invalid(column: string, row: number, what: string): MillraceError {
  return new MillraceError('ROW_INVALID', `The column '${column}' ${what} (row ${row})`, { column, row });
}
