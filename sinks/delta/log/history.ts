import { MillraceError } from '../../../schemas/errors.ts';
import type { CommitInfo } from './action.ts';
import { type DeltaLog, inParallel } from './delta-log.ts';
import type { CommitFile, LogListing } from './log-files.ts';

export interface HistoryEntry {
  readonly version: number;
  /** From when on this was the table. Grows from version to version, though clocks may not. */
  readonly timestampMs: number;
  readonly commitInfo: CommitInfo;
}

/** The commits that the log still has, newest first; the newest `limit` of them. */
export async function history(log: DeltaLog, limit = Infinity): Promise<HistoryEntry[]> {
  const listing = await log.listing();
  const times = await commitTimes(log, listing);
  const wanted = times.slice(limit === Infinity ? 0 : -limit || times.length);
  const entries = await inParallel(wanted, 16, async ({ version, timestampMs }): Promise<HistoryEntry | undefined> => {
    const commit = await log.commit(version);
    const info = commit?.actions.find((action) => 'commitInfo' in action)?.commitInfo;
    return commit && { version, timestampMs, commitInfo: info ?? {} };
  });
  // One that was cleaned away since it was listed is no longer history.
  return entries.filter((entry) => entry !== undefined).toReversed();
}

/**
 * The version that was the table at a time: the last one made at or before it (protocol, Time Travel).
 * @throws MillraceError `TABLE_VERSION_NOT_FOUND` for a time before all that the log has
 */
export async function versionAt(log: DeltaLog, timestampMs: number): Promise<number> {
  const times = await commitTimes(log, await log.listing());
  const found = times.findLast((commit) => commit.timestampMs <= timestampMs);
  if (found !== undefined) return found.version;
  const first = times[0];
  const since = first === undefined ? 'has no commits' : `begins at ${new Date(first.timestampMs).toISOString()}`;
  throw new MillraceError(
    'TABLE_VERSION_NOT_FOUND',
    `The table ${log.storage.location} has no version at ${new Date(timestampMs).toISOString()}: its log ${since}`,
    { table: log.storage.location, timestampMs },
  );
}

interface CommitTime {
  readonly version: number;
  readonly timestampMs: number;
}

/**
 * When each commit was made: what it says itself, where in-commit timestamps are on, and else when its file was written. Times
 * of files may go back; a commit is then taken to be one millisecond younger than the one before it.
 */
export async function commitTimes(log: DeltaLog, listing: LogListing): Promise<CommitTime[]> {
  const commits = contiguousEnd(listing);
  const own = await inCommitTimes(log, commits);
  let before = -Infinity;
  return commits.map(({ version, modifiedAtMs }) => {
    const said = own.get(version);
    before = said ?? Math.max(modifiedAtMs, before + 1);
    return { version, timestampMs: before };
  });
}

/** What the commits say, from the newest back to the first that says nothing: there they were switched on. */
async function inCommitTimes(log: DeltaLog, commits: readonly CommitFile[]): Promise<ReadonlyMap<number, number>> {
  const times = new Map<number, number>();
  for (let end = commits.length; end > 0; end -= batch) {
    const part = commits.slice(Math.max(0, end - batch), end);
    const found = await inParallel(part, batch, async ({ version }) => {
      const commit = await log.commit(version);
      return commit?.actions.find((action) => 'commitInfo' in action)?.commitInfo.inCommitTimestamp;
    });
    for (let at = part.length - 1; at >= 0; at--) {
      const time = found[at];
      if (time === undefined) return times;
      times.set(part[at]!.version, time);
    }
  }
  return times;
}

const batch = 16;

/** Leftovers of a cleaning that was broken off, before a gap, belong to no version that can be read. */
function contiguousEnd({ commits }: LogListing): readonly CommitFile[] {
  let from = commits.length - 1;
  while (from > 0 && commits[from - 1]!.version === commits[from]!.version - 1) from--;
  return commits.slice(Math.max(0, from));
}
