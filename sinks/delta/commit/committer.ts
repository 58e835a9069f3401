import { randomUUID } from 'node:crypto';
import { isMillraceError, MillraceError } from '../../../schemas/errors.ts';
import { deltaFaults } from '../faults.ts';
import type { Action, CommitInfo } from '../log/action.ts';
import { formatCommit, parseCommit } from '../log/commit-file.ts';
import { commitPath } from '../log/log-files.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Commit, Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';
import type { Storage } from '../storage/storage.ts';
import { checkConflict, type ReadScope } from './conflict.ts';

/** A commit that somebody wants to make. */
export interface Proposal {
  /** What `history` shows, in the words of delta-spark: `WRITE`, `OPTIMIZE` … */
  readonly operation: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly metrics?: Readonly<Record<string, string>>;
  readonly userMetadata?: string;
  readonly actions: readonly Action[];
  readonly reads: ReadScope;
}

/**
 * Makes a commit after a snapshot: optimistically, as the next version; when another took that version, after having looked
 * whether both can stand (conflict.ts), as the one after.
 *
 * Whether a write went through is only ever known from the log. When the answer is lost, or says that the version is taken,
 * the entry that is there is read: its `txnId` says whether it is this one.
 *
 * @returns the snapshot after the commit, with those that came first in it
 * @throws MillraceError `TABLE_CONFLICT`; `OVERLOADED` after `attemptsMax` lost races; `STORAGE_FAILED`, `STORAGE_FULL`
 */
export async function commit(storage: Storage, base: Snapshot, proposal: Proposal): Promise<Snapshot> {
  const txnId = randomUUID();
  let snapshot = base;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    checkWritable(snapshot.protocol, snapshot.metadata, storage.location);
    const mine: Commit = {
      version: snapshot.version + 1,
      actions: [{ commitInfo: commitInfo(proposal, snapshot, base.version, txnId) }, ...proposal.actions],
    };
    const winner = await put(storage, mine, txnId);
    if (winner === undefined) {
      deltaFaults.reached?.('committed');
      return snapshot.next(mine);
    }
    checkConflict(proposal, winner, storage.location);
    snapshot = await passed(storage, snapshot.next(winner), proposal);
  }
  throw new MillraceError(
    'OVERLOADED',
    `Lost ${attemptsMax} races for the next version of the table ${storage.location}, the last for ${snapshot.version}`,
    { table: storage.location, version: snapshot.version },
  );
}

/** Somebody wins each race, so this many lost ones mean that something else is wrong. */
const attemptsMax = 1_000;

/**
 * Writes the entry. The commit that has its version instead; undefined when this one has it. After a failure that may pass, and
 * that has left no entry, the same entry is written again: should the first write arrive late after all, it is the same.
 */
async function put(storage: Storage, mine: Commit, txnId: string): Promise<Commit | undefined> {
  const path = commitPath(mine.version);
  const bytes = formatCommit(mine.actions);
  for (let attempt = 1; ; attempt++) {
    let failure: Error | undefined;
    try {
      if (await storage.putIfAbsent(path, bytes)) return undefined;
    } catch (error) {
      failure = error as Error;
    }
    const found = await read(storage, mine.version, path);
    if (found !== undefined) return isOwn(found, txnId) ? undefined : found;
    if (failure === undefined) {
      const message = `Version ${mine.version} of the table ${storage.location} is said to exist, and can't be found`;
      throw new MillraceError('TABLE_CORRUPT', message, { table: storage.location, version: mine.version });
    }
    const passing = isMillraceError(failure, 'STORAGE_FAILED') && failure.facts['passing'] === true;
    if (!passing || attempt === putsMax) throw failure;
    await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
  }
}

const putsMax = 6;

async function read(storage: Storage, version: number, path: string): Promise<Commit | undefined> {
  const bytes = await storage.read(path);
  return bytes && { version, actions: parseCommit(bytes, `${path} of ${storage.location}`) };
}

function isOwn({ actions }: Commit, txnId: string): boolean {
  return actions.some((action) => 'commitInfo' in action && action.commitInfo.txnId === txnId);
}

/** Past all commits that are there by now: under contention one read after another beats one lost write after another. */
async function passed(storage: Storage, from: Snapshot, proposal: Proposal): Promise<Snapshot> {
  let snapshot = from;
  for (;;) {
    const version = snapshot.version + 1;
    const winner = await read(storage, version, commitPath(version));
    if (winner === undefined) return snapshot;
    checkConflict(proposal, winner, storage.location);
    snapshot = snapshot.next(winner);
  }
}

function commitInfo(proposal: Proposal, snapshot: Snapshot, readVersion: number, txnId: string): CommitInfo {
  const { operation, parameters = {}, metrics, userMetadata, actions, reads } = proposal;
  const now = Date.now();
  const metadata = actions.findLast((action) => 'metaData' in action)?.metaData ?? snapshot.metadata;
  const before = snapshot.commitInfo?.inCommitTimestamp;
  return {
    // First, and growing, as in-commit timestamps want it: a clock that goes back takes no version with it.
    ...(tableProperties(metadata).inCommitTimestamps && {
      inCommitTimestamp: before === undefined ? now : Math.max(now, before + 1),
    }),
    timestamp: now,
    operation,
    operationParameters: parameters,
    ...(metrics && { operationMetrics: metrics }),
    readVersion,
    isBlindAppend: reads === 'nothing' && actions.every((action) => 'add' in action || 'txn' in action),
    engineInfo,
    ...(userMetadata !== undefined && { userMetadata }),
    txnId,
  };
}

export const engineInfo = 'Millrace/0.1.0';
