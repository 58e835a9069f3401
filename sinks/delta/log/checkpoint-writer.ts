import { randomUUID } from 'node:crypto';
import { VARCHAR, DuckDBDataChunk } from '@duckdb/node-api';
import { deltaFaults } from '../faults.ts';
import type { DuckDb, DuckDbSession } from '../parquet/duck-db.ts';
import { identifier, literal } from '../parquet/sql.ts';
import type { Storage } from '../storage/storage.ts';
import type { RemoveFile } from './action.ts';
import { formatExactJson, type Json } from './exact-json.ts';
import { checkpointPath, lastCheckpointPath, logFolder } from './log-files.ts';
import type { Snapshot } from './snapshot.ts';
import { tableProperties } from './table-properties.ts';

/**
 * Writes a snapshot as a classic checkpoint (protocol, Checkpoint Schema), one struct column an action, and then points
 * `_last_checkpoint` at it. The file is written under another name and put in place whole. Racing writers put the same
 * there. Tombstones whose time is over are left out, and `parts` is never written: Trino refused tables with `parts: 1`.
 */
export async function writeCheckpoint(
  storage: Storage,
  db: DuckDb,
  snapshot: Snapshot,
  nowMs = Date.now(),
): Promise<CheckpointWritten> {
  const rows = [...checkpointRows(snapshot, nowMs)];
  // Beside the log, so that a table has one place for what is not yet there.
  const file = await storage.create(`${logFolder}/.${randomUUID()}.checkpoint.tmp`);
  try {
    await db.session(async (session) => {
      await load(session, rows);
      const columns = columnsOf(snapshot).map(
        ([kind, structure]) =>
          `CASE WHEN kind = ${literal(kind)} THEN from_json(action, ${literal(structure)}) END AS ${identifier(kind)}`,
      );
      await session.run(
        `COPY (SELECT ${columns.join(', ')} FROM actions) TO ${literal(file.localPath)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
      );
    });
    const path = checkpointPath(snapshot.version);
    const { bytes } = await file.finishAs(path);
    deltaFaults.reached?.('checkpoint-written');
    const pointer = {
      version: snapshot.version,
      size: rows.length,
      sizeInBytes: bytes,
      numOfAddFiles: snapshot.files.size,
    };
    await storage.put(lastCheckpointPath, new TextEncoder().encode(formatExactJson(pointer)));
    return { path, bytes, actions: rows.length };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

export interface CheckpointWritten {
  readonly path: string;
  readonly bytes: number;
  readonly actions: number;
}

type Kind = 'protocol' | 'metaData' | 'txn' | 'domainMetadata' | 'add' | 'remove';

function* checkpointRows(snapshot: Snapshot, nowMs: number): Generator<readonly [Kind, Json]> {
  yield ['protocol', snapshot.protocol as unknown as Json];
  yield ['metaData', snapshot.metadata as unknown as Json];
  for (const txn of snapshot.transactions.values()) yield ['txn', txn as unknown as Json];
  for (const domain of snapshot.domains.values()) yield ['domainMetadata', domain as unknown as Json];
  // In a checkpoint nothing is a change.
  for (const add of snapshot.files.values()) yield ['add', { ...add, dataChange: false } as unknown as Json];
  const expiredMs = nowMs - tableProperties(snapshot.metadata).deletedFileRetentionMs;
  for (const tombstone of snapshot.tombstones.values()) {
    if ((tombstone.deletionTimestamp ?? 0) > expiredMs) yield ['remove', withoutStatistics(tombstone)];
  }
}

function withoutStatistics(remove: RemoveFile): Json {
  return { ...remove, stats: undefined, tags: undefined, dataChange: false } as unknown as Json;
}

async function load(session: DuckDbSession, rows: readonly (readonly [Kind, Json])[]): Promise<void> {
  await session.run('CREATE TEMP TABLE actions (kind VARCHAR, action VARCHAR)');
  const appender = await session.connection.createAppender('actions', 'main', 'temp');
  for (let from = 0; from < rows.length; from += 2048) {
    const part = rows.slice(from, from + 2048);
    const chunk = DuckDBDataChunk.create([VARCHAR, VARCHAR], part.length);
    chunk.setColumns([part.map(([kind]) => kind), part.map(([, action]) => formatExactJson(action))]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

/** The columns, each with its structure in the notation of `from_json`. Lists of features exist at reader 3, writer 7 only. */
function columnsOf({ protocol }: Snapshot): readonly (readonly [Kind, string])[] {
  const structures: Readonly<Record<Kind, object>> = {
    protocol: {
      minReaderVersion: 'INTEGER',
      minWriterVersion: 'INTEGER',
      ...(protocol.minReaderVersion === 3 && { readerFeatures: ['VARCHAR'] }),
      ...(protocol.minWriterVersion === 7 && { writerFeatures: ['VARCHAR'] }),
    },
    metaData: {
      id: 'VARCHAR',
      name: 'VARCHAR',
      description: 'VARCHAR',
      format: { provider: 'VARCHAR', options: texts },
      schemaString: 'VARCHAR',
      partitionColumns: ['VARCHAR'],
      createdTime: 'BIGINT',
      configuration: texts,
    },
    txn: { appId: 'VARCHAR', version: 'BIGINT', lastUpdated: 'BIGINT' },
    domainMetadata: { domain: 'VARCHAR', configuration: 'VARCHAR', removed: 'BOOLEAN' },
    add: {
      path: 'VARCHAR',
      partitionValues: texts,
      size: 'BIGINT',
      modificationTime: 'BIGINT',
      dataChange: 'BOOLEAN',
      stats: 'VARCHAR',
      tags: texts,
      deletionVector,
      baseRowId: 'BIGINT',
      defaultRowCommitVersion: 'BIGINT',
      clusteringProvider: 'VARCHAR',
    },
    remove: {
      path: 'VARCHAR',
      deletionTimestamp: 'BIGINT',
      dataChange: 'BOOLEAN',
      extendedFileMetadata: 'BOOLEAN',
      partitionValues: texts,
      size: 'BIGINT',
      deletionVector,
      baseRowId: 'BIGINT',
      defaultRowCommitVersion: 'BIGINT',
    },
  };
  return Object.entries(structures).map(([kind, structure]) => [kind as Kind, JSON.stringify(structure)]);
}

const texts = 'MAP(VARCHAR, VARCHAR)';
const deletionVector = {
  storageType: 'VARCHAR',
  pathOrInlineDv: 'VARCHAR',
  offset: 'INTEGER',
  sizeInBytes: 'INTEGER',
  cardinality: 'BIGINT',
};
