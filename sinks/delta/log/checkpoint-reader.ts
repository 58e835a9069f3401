import { MillraceError } from '../../../schemas/errors.ts';
import type { DuckDb, DuckDbSession } from '../parquet/duck-db.ts';
import { fileLiteral, identifier } from '../parquet/sql.ts';
import type { Storage } from '../storage/storage.ts';
import type { Action } from './action.ts';
import { Fields, readAction } from './action-reader.ts';
import { parseLines } from './commit-file.ts';
import { type Json, parseExactJson } from './exact-json.ts';
import { type Checkpoint, logFolder } from './log-files.ts';

/**
 * The actions of a checkpoint: classic, in several parts, or v2 with the files in sidecars (protocol, Checkpoints). Parquet
 * comes out of DuckDB as JSON text, one action a row, and is read by the code that reads the log: writers differ in which
 * fields they write, and this takes any of them.
 * @throws MillraceError `TABLE_CORRUPT` for a checkpoint or sidecar that is named and can't be read
 */
export async function readCheckpoint(storage: Storage, db: DuckDb, { paths }: Checkpoint): Promise<Action[]> {
  const actions: Action[] = [];
  const sidecars: string[] = [];
  const take = (json: Json, where: string): undefined => {
    const sidecar = new Fields(json, where).inner('sidecar');
    if (sidecar !== undefined) sidecars.push(sidecarPath(sidecar.path('path')));
    const action = sidecar === undefined ? readAction(json, where) : undefined;
    if (action !== undefined) actions.push(action);
  };
  for (const path of paths) {
    if (path.endsWith('.json')) parseLines(await bytesOf(storage, path), path, take);
    else await readParquet(storage, db, path, take);
  }
  for (const path of sidecars) await readParquet(storage, db, path, take);
  return actions;
}

/** By its name alone, or by a whole path, which ends in its name. */
function sidecarPath(path: string): string {
  const decoded = decodeURIComponent(path);
  return `${logFolder}/_sidecars/${decoded.slice(decoded.lastIndexOf('/') + 1)}`;
}

async function bytesOf(storage: Storage, path: string): Promise<Uint8Array> {
  const bytes = await storage.read(path);
  if (bytes === undefined) throw unreadable(storage, path, 'there is no such file');
  return bytes;
}

type TakeAction = (json: Json, where: string) => void;

async function readParquet(storage: Storage, db: DuckDb, path: string, take: TakeAction): Promise<void> {
  await using file = await storage.open(path);
  try {
    await db.session((session) => readActions(session, file.localPath, path, take));
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw unreadable(storage, path, (error as Error).message, error);
  }
}

const actionColumns = ['protocol', 'metaData', 'txn', 'domainMetadata', 'add', 'remove', 'sidecar'];

async function readActions(session: DuckDbSession, localPath: string, path: string, take: TakeAction): Promise<void> {
  const from = `read_parquet(${fileLiteral(localPath)}, hive_partitioning = false)`;
  const present = await session.columns(`SELECT * FROM ${from}`);
  for (const kind of actionColumns.filter((column) => present.has(column))) {
    const column = identifier(kind);
    const rows = session.chunks(
      `SELECT ${jsonOf(kind, String(present.get(kind)))} FROM ${from} WHERE ${column} IS NOT NULL`,
    );
    for await (const [texts = []] of rows) {
      for (const text of texts) take({ [kind]: parseExactJson(text as string) }, `${kind} of ${path}`);
    }
  }
}

/** `stats_parsed` stands in for `stats` where the writer left that out (delta.checkpoint.writeStatsAsJson). */
function jsonOf(kind: string, type: string): string {
  const column = identifier(kind);
  if (kind !== 'add' || !type.includes('"stats_parsed"')) return `CAST(to_json(${column}) AS VARCHAR)`;
  const parsed = `CAST(to_json(${column}."stats_parsed") AS VARCHAR)`;
  const stats = type.includes('"stats" VARCHAR') ? `coalesce(${column}."stats", ${parsed})` : parsed;
  return `CAST(json_merge_patch(to_json(${column}), json_object('stats', ${stats}, 'stats_parsed', NULL)) AS VARCHAR)`;
}

function unreadable(storage: Storage, path: string, reason: string, cause?: unknown): MillraceError {
  const facts = { table: storage.location, path };
  return new MillraceError(
    'TABLE_CORRUPT',
    `${path} of the table ${storage.location} can't be read: ${reason}`,
    facts,
    {
      cause,
    },
  );
}
