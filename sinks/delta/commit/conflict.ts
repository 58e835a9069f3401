import { MillraceError } from '../../../schemas/errors.ts';
import { type Action, fileKey } from '../log/action.ts';
import type { Commit } from '../log/snapshot.ts';

/**
 * What a commit has read of the table, which decides whether it may still be made after others came first:
 *
 *     nothing      an append, a new column: whatever others add or remove, it means the same
 *     files        a rewrite of those files (OPTIMIZE): others may add files, and not touch these
 *     everything   what depends on all rows (an upsert, a new constraint): nobody may have changed any
 *     version      what names its own version: nobody may have committed anything
 */
export type ReadScope = 'nothing' | 'files' | 'everything' | 'version';

/** What stands in the way; `facts.conflict` of the error. */
export type ConflictKind = 'protocol' | 'metadata' | 'transaction' | 'removed' | 'added' | 'domain';

/**
 * Compares a commit that was to be made with one that came first.
 * @throws MillraceError `TABLE_CONFLICT`
 */
export function checkConflict(
  mine: { readonly actions: readonly Action[]; readonly reads: ReadScope },
  winner: Commit,
  location: string,
): void {
  const conflict = (kind: ConflictKind, what: string): MillraceError =>
    new MillraceError(
      'TABLE_CONFLICT',
      `Version ${winner.version} of the table ${location} came first and ${what}: nothing was committed`,
      { table: location, version: winner.version, conflict: kind },
    );
  if (mine.reads === 'version') throw conflict('added', 'took the version that was to be made');
  const appIds = new Set(mine.actions.flatMap((action) => ('txn' in action ? [action.txn.appId] : [])));
  const domains = new Set(
    mine.actions.flatMap((each) => ('domainMetadata' in each ? [each.domainMetadata.domain] : [])),
  );
  const removes = new Set(mine.actions.flatMap((action) => ('remove' in action ? [fileKey(action.remove)] : [])));
  for (const action of winner.actions) {
    if ('protocol' in action) throw conflict('protocol', 'changed the protocol');
    if ('metaData' in action) throw conflict('metadata', 'changed schema or properties');
    if ('txn' in action && appIds.has(action.txn.appId)) {
      throw conflict('transaction', `is of the same application '${action.txn.appId}', up to ${action.txn.version}`);
    }
    if ('domainMetadata' in action && domains.has(action.domainMetadata.domain)) {
      throw conflict('domain', `changed the domain ${action.domainMetadata.domain}`);
    }
    if ('remove' in action && (mine.reads === 'everything' || removes.has(fileKey(action.remove)))) {
      // A file that moved to another one with the same rows is a conflict too: mine names the old one.
      throw conflict('removed', `removed ${action.remove.path}`);
    }
    if ('add' in action && mine.reads === 'everything' && action.add.dataChange) {
      throw conflict('added', `added ${action.add.path}`);
    }
  }
}
