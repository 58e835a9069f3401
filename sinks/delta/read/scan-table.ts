import type { DuckDBValue } from '@duckdb/node-api';
import { MillraceError } from '../../../schemas/errors.ts';
import type { TableContext } from '../context.ts';
import type { AddFile } from '../log/action.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { supportsForReading } from '../log/protocol.ts';
import { decodePath } from '../log/uri-path.ts';
import type { DuckDbSession } from '../parquet/duck-db.ts';
import { identifier, literal } from '../parquet/sql.ts';
import { parseSchema, type StructType } from '../schema/schema.ts';
import { decoderOf, type Row } from '../schema/value.ts';
import { mayMatch } from './data-skipping.ts';
import { columnType, type Filter, filterSql } from './filter.ts';
import type { ColumnMapping } from './names-in-file.ts';
import { scanFiles, type ScanSource, type ScanSql } from './scan.ts';

export interface ReadOptions {
  /** Default all, in the order of the schema. */
  readonly columns?: readonly string[];
  /** Rows for which all of them are true. Files that can have none are not opened. */
  readonly filters?: readonly Filter[];
}

/** The rows of a snapshot, in no order, some thousand at a time. */
export async function* readRows(
  context: TableContext,
  snapshot: Snapshot,
  options: ReadOptions = {},
): AsyncGenerator<readonly Row[], void, undefined> {
  const schema = readSchema(snapshot, context.storage.location, options);
  const fields = schema.fields.map(({ name, type }) => [name, decoderOf(type)] as const);
  await using session = await context.db.connect();
  await using scan = await openScan(context, session, snapshot, options);
  for await (const columns of session.chunks(scan.sql)) {
    yield rowsOf(fields, columns);
  }
}

/** How many rows there are. */
export async function countRows(context: TableContext, snapshot: Snapshot, options: ReadOptions = {}): Promise<number> {
  return context.db.session(async (session) => {
    await using scan = await openScan(context, session, snapshot, options);
    const [[count] = [0n]] = await session.rows<[bigint]>(`SELECT count(*) FROM (${scan.sql})`);
    return Number(count);
  });
}

export type FileFormat = 'parquet' | 'csv' | 'json';

/** Writes the rows to a file of this machine: Parquet with the exact types, CSV with a head, JSON one object a line. */
export async function copyRows(
  context: TableContext,
  snapshot: Snapshot,
  target: { readonly path: string; readonly format: FileFormat },
  options: ReadOptions = {},
): Promise<number> {
  const how = { parquet: 'FORMAT parquet, COMPRESSION zstd', csv: 'FORMAT csv, HEADER true', json: 'FORMAT json' };
  return context.db.session(async (session) => {
    await using scan = await openScan(context, session, snapshot, options);
    const reader = await session.connection.runAndReadAll(
      `COPY (${scan.sql}) TO ${literal(target.path)} (${how[target.format]})`,
    );
    return Number(reader.getRows()[0]?.[0] ?? 0);
  });
}

/** The columns that are read, with their types. */
export function readSchema(snapshot: Snapshot, location: string, { columns }: ReadOptions = {}): StructType {
  const schema = parseSchema(snapshot.metadata.schemaString, location);
  if (columns === undefined) return schema;
  for (const column of columns) columnType(schema, column);
  return { type: 'struct', fields: columns.map((column) => schema.fields.find(({ name }) => name === column)!) };
}

/** The files that may have rows for the filters. */
export function filesFor(snapshot: Snapshot, location: string, filters: readonly Filter[] = []): AddFile[] {
  const schema = parseSchema(snapshot.metadata.schemaString, location);
  const table = { schema, partitionColumns: snapshot.metadata.partitionColumns, mapping: mappingOf(snapshot) };
  return [...snapshot.files.values()].filter((file) => mayMatch(file, filters, table));
}

/** What a scan of a snapshot's files starts from. */
export function scanSource(context: TableContext, session: DuckDbSession, snapshot: Snapshot): ScanSource {
  return {
    storage: context.storage,
    session,
    schema: parseSchema(snapshot.metadata.schemaString, context.storage.location),
    partitionColumns: snapshot.metadata.partitionColumns,
    mapping: mappingOf(snapshot),
  };
}

/** The property counts only where the protocol has the feature (protocol, Column Mapping). */
function mappingOf({ protocol, metadata }: Snapshot): ColumnMapping {
  return supportsForReading(protocol, 'columnMapping') ? tableProperties(metadata).columnMapping : 'none';
}

async function openScan(
  context: TableContext,
  session: DuckDbSession,
  snapshot: Snapshot,
  { columns, filters = [] }: ReadOptions,
): Promise<ScanSql> {
  const { location } = context.storage;
  const whole = scanSource(context, session, snapshot);
  const needed = columns && new Set([...columns, ...filters.map(({ column }) => column)]);
  for (const column of needed ?? []) columnType(whole.schema, column);
  const fields = whole.schema.fields.filter(({ name }) => needed === undefined || needed.has(name));
  if (fields.length === 0) throw new MillraceError('INVALID_ARGUMENT', 'A read wants at least one column, found none');
  const schema: StructType = { type: 'struct', fields };
  const files = filesFor(snapshot, location, filters);
  const scan = await scanFiles({ ...whole, schema }, files, (path) => decodePath(path, location));
  const selected = (columns ?? fields.map(({ name }) => name)).map(identifier);
  const sql = `SELECT ${selected.join(', ')} FROM (${scan.sql}) WHERE ${filterSql(filters, schema)}`;
  return { sql, [Symbol.asyncDispose]: () => scan[Symbol.asyncDispose]() };
}

type Decoder = (value: DuckDBValue) => Row[string];

function rowsOf(fields: readonly (readonly [string, Decoder])[], columns: readonly DuckDBValue[][]): Row[] {
  const count = columns[0]?.length ?? 0;
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(fields.map(([name, decode], at) => [name, decode(columns[at]![row]!)])),
  );
}
