import { randomUUID } from 'node:crypto';
import type { AddFile, PartitionValues } from '../log/action.ts';
import { encodePath, partitionFolder } from '../log/uri-path.ts';
import { MillraceError } from '../../../schemas/errors.ts';
import { duckTypeOf } from '../schema/duck-type.ts';
import type { StructField, StructType } from '../schema/schema.ts';
import type { NewFile, Storage } from '../storage/storage.ts';
import type { DuckDbSession } from './duck-db.ts';
import { identifier, literal } from './sql.ts';
import { type ColumnStatistics, formatStatistics } from './statistics.ts';

export interface DataFileOptions {
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly indexedColumns: number;
  readonly dataChange: boolean;
  /** Where in the table the files go; default its top. */
  readonly folder?: string;
  /** Columns that are in the files and not in the schema (`_change_type`). */
  readonly extraColumns?: readonly string[];
}

/**
 * Writes the rows of a relation of the session as Parquet: a file for each combination of partition values, none for no
 * rows. The files are durable, and named by nothing until a commit does; when one fails, those before it are taken away.
 *
 * Pages are of version 1 and compressed with zstd, which every engine of today reads. Nullability is not in the files: it is
 * in the table's schema, and was checked before.
 */
export async function writeDataFiles(
  storage: Storage,
  session: DuckDbSession,
  relation: string,
  options: DataFileOptions,
): Promise<AddFile[]> {
  const partitions = await partitionsOf(session, relation, options);
  const written: AddFile[] = [];
  try {
    for (const partition of partitions) written.push(await writeFile(storage, session, relation, options, partition));
    return written;
  } catch (error) {
    for (const { path } of written) await storage.remove(decodeURIComponent(path));
    throw error;
  }
}

interface Partition {
  readonly values: PartitionValues;
  /** True for its rows. */
  readonly condition: string;
}

async function partitionsOf(
  session: DuckDbSession,
  relation: string,
  { schema, partitionColumns }: DataFileOptions,
): Promise<Partition[]> {
  if (partitionColumns.length === 0) {
    const [[count] = [0n]] = await session.rows<[bigint]>(`SELECT count(*) FROM ${relation}`);
    return count === 0n ? [] : [{ values: {}, condition: 'true' }];
  }
  const texts = partitionColumns.map((name) => partitionText(fieldOf(schema, name)));
  const distinct = await session.rows<(string | null)[]>(
    `SELECT DISTINCT ${texts.join(', ')} FROM ${relation} ORDER BY ALL`,
  );
  return distinct.map((values) => ({
    values: Object.fromEntries(partitionColumns.map((name, at) => [name, values[at]!])),
    condition: texts
      .map((text, at) => (values[at] === null ? `(${text}) IS NULL` : `(${text}) = ${literal(values[at]!)}`))
      .join(' AND '),
  }));
}

async function writeFile(
  storage: Storage,
  session: DuckDbSession,
  relation: string,
  options: DataFileOptions,
  { values, condition }: Partition,
): Promise<AddFile> {
  const { schema, partitionColumns, indexedColumns, dataChange, folder, extraColumns = [] } = options;
  const fields = schema.fields.filter(({ name, type }) => !partitionColumns.includes(name) && type !== 'void');
  const columns = [
    ...fields.map(({ name, type }) => `CAST(${identifier(name)} AS ${duckTypeOf(type)}) AS ${identifier(name)}`),
    ...extraColumns.map(identifier),
  ];
  const path = [
    ...(folder === undefined ? [] : [folder]),
    ...partitionColumns.map((name) => partitionFolder(name, values[name] ?? null)),
    `part-00000-${randomUUID()}.c000.zstd.parquet`,
  ].join('/');
  const select = `SELECT ${columns.join(', ')} FROM ${relation} WHERE ${condition}`;
  const file = await storage.create(path);
  try {
    const { count, statistics } = await copyToParquet(session, select, file);
    const { bytes } = await file.finish();
    return {
      path: encodePath(path),
      partitionValues: values,
      size: bytes,
      modificationTime: Date.now(),
      dataChange,
      stats: formatStatistics({ type: 'struct', fields }, count, statistics, indexedColumns),
    };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

async function copyToParquet(
  session: DuckDbSession,
  select: string,
  { localPath }: NewFile,
): Promise<{ readonly count: number; readonly statistics: ReadonlyMap<string, ColumnStatistics> }> {
  const copy = `COPY (${select}) TO ${literal(localPath)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, RETURN_STATS true)`;
  const reader = await session.connection.runAndReadAll(copy);
  const [row] = reader.getRowObjectsJson() as unknown as readonly CopyResult[];
  if (row === undefined) throw new MillraceError('INTERNAL', `DuckDB wants 1 file written, found 0: ${localPath}`);
  const statistics = row.column_statistics.map(({ key, value }): [string, ColumnStatistics] => {
    const of = new Map(value.map((each) => [each.key, each.value]));
    const [min, max, nulls, nan] = ['min', 'max', 'null_count', 'has_nan'].map((name) => of.get(name));
    return [
      key,
      {
        ...(min !== undefined && { min }),
        ...(max !== undefined && { max }),
        ...(nulls !== undefined && { nullCount: Number(nulls) }),
        // Where nobody has looked for NaN there may be one.
        ...(nan !== undefined && { hasNan: nan !== 'false' }),
      },
    ];
  });
  return { count: Number(row.count), statistics: new Map(statistics) };
}

interface CopyResult {
  readonly count: string;
  readonly column_statistics: readonly {
    readonly key: string;
    readonly value: readonly { readonly key: string; readonly value: string }[];
  }[];
}

/** A partition column as the text that stands in the log (protocol, Partition Value Serialization). */
function partitionText({ name, type }: StructField): string {
  const column = identifier(name);
  switch (type) {
    case 'string':
      return `nullif(${column}, '')`; // The log has no empty string: it means null.
    case 'timestamp':
      return `strftime(${column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`;
    case 'timestamp_ntz':
      return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f')`;
    case 'float':
    case 'double':
      return `CASE CAST(${column} AS VARCHAR) WHEN 'inf' THEN 'Infinity' WHEN '-inf' THEN '-Infinity' WHEN 'nan' THEN 'NaN' ELSE CAST(${column} AS VARCHAR) END`;
    default:
      return `CAST(${column} AS VARCHAR)`;
  }
}

function fieldOf({ fields }: StructType, name: string): StructField {
  const field = fields.find((each) => each.name === name);
  if (field === undefined)
    throw new MillraceError('TABLE_CORRUPT', `The partition column '${name}' is not in the schema`);
  return field;
}
