import { BIGINT, DuckDBDataChunk } from '@duckdb/node-api';
import { MillraceError } from '../../../schemas/errors.ts';
import { readDeletionVector } from '../deletion-vector/deletion-vector.ts';
import type { AddFile, PartitionValues } from '../log/action.ts';
import type { DuckDbSession } from '../parquet/duck-db.ts';
import { fileLiteral, identifier } from '../parquet/sql.ts';
import type { StructField, StructType } from '../schema/schema.ts';
import { duckTypeOf } from '../schema/duck-type.ts';
import type { LocalFile, Storage } from '../storage/storage.ts';
import {
  type ColumnMapping,
  namesById,
  namesByName,
  type ParquetSchemaRow,
  parquetTree,
  physicalName,
} from './names-in-file.ts';
import { partitionValue } from './partition-value.ts';
import { type NamesInFile, project } from './projection.ts';

/**
 * Files of a table as one SELECT: a part for each group of files that are read in the same way, with every column cast to the
 * type of the schema, and UNION ALL between. Nothing is left to how DuckDB would guess at a list of unlike files. A file with
 * a deletion vector is a part of its own, without the rows that it names.
 */
export interface ScanSource {
  readonly storage: Storage;
  readonly session: DuckDbSession;
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly mapping: ColumnMapping;
}

export interface ScanSql extends AsyncDisposable {
  readonly sql: string;
}

export interface ScanOptions {
  /** Adds `_file`, the place of a file in the list, and `_row`, the position of a row in it. */
  readonly positions?: boolean;
  /** Columns that are in the files and not in the schema. */
  readonly extraColumns?: readonly StructField[];
}

/** Dispose of it after the last statement over its SQL. */
export async function scanFiles(
  source: ScanSource,
  files: readonly Pick<AddFile, 'path' | 'partitionValues' | 'deletionVector'>[],
  pathOf: (path: string) => string,
  options: ScanOptions = {},
): Promise<ScanSql> {
  const local: LocalFile[] = [];
  const dispose = async (): Promise<void> => {
    for (const file of local) await file[Symbol.asyncDispose]();
  };
  try {
    for (const { path } of files) local.push(await source.storage.open(pathOf(path)));
    const parts = files.map((file, index): Part => ({
      index,
      localPath: local[index]!.localPath,
      ...file,
      path: pathOf(file.path),
    }));
    const selects: string[] = [];
    for (const group of await groups(source, parts, options)) selects.push(await selectOf(source, group, options));
    return {
      sql: selects.length === 0 ? emptySelect(source, options) : selects.join('\nUNION ALL\n'),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface Part extends Pick<AddFile, 'path' | 'partitionValues' | 'deletionVector'> {
  readonly index: number;
  readonly localPath: string;
}

interface Group {
  readonly parts: readonly Part[];
  readonly parquet: readonly ParquetSchemaRow[];
}

/** Files with the same Parquet schema and partition values. */
async function groups(source: ScanSource, parts: readonly Part[], { positions }: ScanOptions): Promise<Group[]> {
  if (parts.length === 0) return [];
  const schemas = await parquetSchemas(source, parts);
  const found = new Map<string, { parts: Part[]; parquet: readonly ParquetSchemaRow[] }>();
  for (const part of parts) {
    const schema = schemas.get(part.localPath)!;
    const alone = part.deletionVector !== undefined || positions === true;
    const key = alone ? `${part.index}` : `${schema.text}\n${partitionKey(part.partitionValues)}`;
    const group = found.get(key) ?? { parts: [], parquet: schema.rows };
    group.parts.push(part);
    found.set(key, group);
  }
  return [...found.values()];
}

function partitionKey(values: PartitionValues): string {
  return JSON.stringify(Object.entries(values).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

async function parquetSchemas(
  { session, storage }: ScanSource,
  parts: readonly Part[],
): Promise<ReadonlyMap<string, { readonly text: string; readonly rows: readonly ParquetSchemaRow[] }>> {
  const list = parts.map((part) => fileLiteral(part.localPath)).join(', ');
  const rows = await failing(storage, parts, () =>
    session.rows<[string, string, bigint | null, bigint | null, string, string | null, string | null, string]>(
      `SELECT file_name, name, num_children, field_id, repetition_type, converted_type, CAST(logical_type AS VARCHAR),
         concat_ws('|', name, type, num_children, field_id, repetition_type, converted_type, scale, precision, logical_type)
       FROM parquet_schema([${list}])`,
    ),
  );
  const schemas = new Map<string, { text: string; rows: ParquetSchemaRow[] }>();
  for (const [file, name, children, fieldId, repetition, converted, logical, text] of rows) {
    const schema = schemas.get(file) ?? { text: '', rows: [] };
    const kind = /list/i.test(converted ?? logical ?? '')
      ? 'list'
      : /map/i.test(converted ?? logical ?? '')
        ? 'map'
        : undefined;
    schema.text += `${text}\n`;
    schema.rows.push({
      name,
      children: Number(children ?? 0),
      fieldId: fieldId === null ? undefined : Number(fieldId),
      repeated: repetition === 'REPEATED',
      kind,
    });
    schemas.set(file, schema);
  }
  return schemas;
}

async function selectOf(source: ScanSource, { parts, parquet }: Group, options: ScanOptions): Promise<string> {
  const [first] = parts as readonly [Part, ...Part[]];
  const { deletionVector, index } = first;
  const positioned = deletionVector !== undefined || options.positions === true;
  const list = parts.map((part) => fileLiteral(part.localPath)).join(', ');
  const rowNumber = positioned ? ', file_row_number = true' : '';
  const from = `read_parquet([${list}], hive_partitioning = false${rowNumber})`;
  const present = await failing(source.storage, parts, () =>
    source.session.columns(`SELECT * FROM read_parquet(${fileLiteral(first.localPath)}, hive_partitioning = false)`),
  );
  const names = namesIn(source, parquet, first.path);
  const columns = [...source.schema.fields, ...(options.extraColumns ?? [])].map(
    (field) => `${columnOf(source, field, first.partitionValues, present, names)} AS ${identifier(field.name)}`,
  );
  if (options.positions === true) columns.push(`${index} AS "_file"`, `file_row_number AS "_row"`);
  let where = '';
  if (deletionVector !== undefined) {
    const deleted = await loadDeletedRows(source.session, await readDeletionVector(source.storage, deletionVector));
    where = ` WHERE file_row_number NOT IN (SELECT position FROM ${deleted})`;
  }
  return `SELECT ${columns.join(', ')} FROM ${from}${where}`;
}

function columnOf(
  { partitionColumns, mapping }: ScanSource,
  field: StructField,
  partitionValues: PartitionValues,
  present: ReadonlyMap<string, Parameters<typeof project>[1]>,
  names: NamesInFile,
): string {
  if (partitionColumns.includes(field.name)) {
    return partitionValue(partitionValues[physicalName(field, mapping)], field.type);
  }
  const name = field.type === 'void' ? undefined : names.nameOf(field, [...present.keys()]);
  const type = name === undefined ? undefined : present.get(name);
  if (name === undefined || type === undefined) return `CAST(NULL AS ${duckTypeOf(field.type)})`;
  return project(identifier(name), type, field.type, names.inside(name));
}

function namesIn({ mapping, storage }: ScanSource, parquet: readonly ParquetSchemaRow[], path: string): NamesInFile {
  if (mapping !== 'id') return namesByName(mapping);
  if (!parquet.some((row) => row.fieldId !== undefined)) {
    throw new MillraceError(
      'TABLE_CORRUPT',
      `Columns of the table ${storage.location} are mapped by field ids, and ${path} has none`,
      { table: storage.location, path },
    );
  }
  return namesById(parquetTree(parquet));
}

async function loadDeletedRows(session: DuckDbSession, rows: readonly number[]): Promise<string> {
  const table = session.newTable();
  await session.run(`CREATE TEMP TABLE ${table} (position BIGINT)`);
  const appender = await session.connection.createAppender(table, 'main', 'temp');
  for (let from = 0; from < rows.length; from += 2048) {
    const positions = rows.slice(from, from + 2048);
    const chunk = DuckDBDataChunk.create([BIGINT], positions.length);
    chunk.setColumns([positions.map(BigInt)]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  return table;
}

function emptySelect({ schema }: ScanSource, { positions, extraColumns = [] }: ScanOptions): string {
  const columns = [...schema.fields, ...extraColumns].map(
    (field) => `CAST(NULL AS ${duckTypeOf(field.type)}) AS ${identifier(field.name)}`,
  );
  if (positions === true) columns.push('CAST(NULL AS INTEGER) AS "_file"', 'CAST(NULL AS BIGINT) AS "_row"');
  return `SELECT ${columns.join(', ')} WHERE false`;
}

/** What DuckDB says of a file that it can't read is about the table, and says which one. */
async function failing<T>(storage: Storage, parts: readonly Part[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const path = parts.find((part) => reason.includes(part.localPath))?.path ?? parts[0]?.path;
    throw new MillraceError(
      'TABLE_CORRUPT',
      `A file of the table ${storage.location} can't be read: ${path}: ${reason}`,
      { table: storage.location, path },
      { cause: error },
    );
  }
}
