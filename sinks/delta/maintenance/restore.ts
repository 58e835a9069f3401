import { MillraceError } from '../../../schemas/errors.ts';
import { commit } from '../commit/committer.ts';
import type { TableContext } from '../context.ts';
import type { Action } from '../log/action.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import { decodePath } from '../log/uri-path.ts';
import { removeOf } from './optimize.ts';

/**
 * Makes the table what it was at a version, by a new one: files of then come back, files of now are removed, schema and
 * properties are those of then. The protocol stays, because files of later may need it, and so do transactions: an
 * application that writes the same again is still told that it has.
 * @throws MillraceError `TABLE_CORRUPT` when files of then are gone (`vacuum`), naming the first; `TABLE_CONFLICT`
 */
export async function restore(context: TableContext, now: Snapshot, then: Snapshot): Promise<Snapshot> {
  const { storage } = context;
  checkWritable(now.protocol, now.metadata, storage.location);
  mayRemoveRows(now, storage.location);
  const back = [...then.files].filter(([key]) => !now.files.has(key)).map(([, file]) => file);
  const gone = [...now.files].filter(([key]) => !then.files.has(key)).map(([, file]) => file);
  const present = new Set((await storage.list('', { recursive: true })).map(({ path }) => path));
  const missing = back.filter(({ path }) => !present.has(decodePath(path, storage.location)));
  if (missing.length > 0) {
    throw new MillraceError(
      'TABLE_CORRUPT',
      `Version ${then.version} of the table ${storage.location} can't come back: ${missing.length} of its files are gone, the first ${missing[0]!.path}`,
      { table: storage.location, version: then.version, path: missing[0]!.path },
    );
  }
  const sameMetadata = JSON.stringify(now.metadata) === JSON.stringify(then.metadata);
  return commit(storage, now, {
    operation: 'RESTORE',
    parameters: { version: String(then.version) },
    metrics: { numRestoredFiles: String(back.length), numRemovedFiles: String(gone.length) },
    actions: [
      ...(sameMetadata ? [] : [{ metaData: then.metadata }]),
      ...gone.map((file): Action => ({ remove: removeOf(file, true) })),
      ...back.map((file): Action => ({ add: { ...file, dataChange: true } })),
    ],
    reads: 'everything',
  });
}

/** @throws MillraceError `TABLE_UNSUPPORTED` for a table whose rows may only be added to */
export function mayRemoveRows({ metadata }: Snapshot, location: string): void {
  if (!tableProperties(metadata).appendOnly) return;
  throw new MillraceError(
    'TABLE_UNSUPPORTED',
    `The table ${location} is append-only (delta.appendOnly): no row may go`,
    {
      table: location,
      property: 'delta.appendOnly',
    },
  );
}
