import type { TableContext } from '../context.ts';
import { inParallel } from '../log/delta-log.ts';
import { commitTimes } from '../log/history.ts';
import { logFileVersion, logFolder, sortLog } from '../log/log-files.ts';
import { checkWritable } from '../log/protocol.ts';
import type { Snapshot } from '../log/snapshot.ts';
import { tableProperties } from '../log/table-properties.ts';

/**
 * Takes away entries of the log that are older than `delta.logRetentionDuration`, and that no version within it needs
 * (protocol, Metadata Cleanup): everything before the newest checkpoint at or before the last commit of the time that is to
 * go. The commit at that checkpoint stays, for its provenance. Without such a checkpoint nothing goes. Sidecars of v2
 * checkpoints, which Millrace does not write, are left where they are.
 *
 * Time is cut at midnight UTC, so that the log is listed in vain once a day and not once a commit.
 * @returns the files that went, relative to the table
 */
export async function cleanLog(
  context: TableContext,
  snapshot: Snapshot,
  nowMs = Date.now(),
): Promise<readonly string[]> {
  const { storage, log } = context;
  checkWritable(snapshot.protocol, snapshot.metadata, storage.location);
  const { logRetentionMs } = tableProperties(snapshot.metadata);
  const cutOffMs = Math.floor((nowMs - logRetentionMs) / dayMs) * dayMs;
  const files = await storage.list(logFolder);
  const listing = sortLog(files);
  const cutOff = (await commitTimes(log, listing)).findLast(({ timestampMs }) => timestampMs <= cutOffMs);
  if (cutOff === undefined) return [];
  const checkpoint = listing.checkpoints.findLast(({ version }) => version <= cutOff.version);
  if (checkpoint === undefined) return [];
  const gone = files
    .map(({ path }) => path)
    .filter((path) => {
      const named = logFileVersion(path);
      return named !== undefined && named.version < checkpoint.version;
    });
  // Oldest first: a cleaning that is broken off leaves a log without a gap.
  const ordered = gone.toSorted();
  await inParallel(ordered, 1, (path) => storage.remove(path));
  return ordered;
}

const dayMs = 86_400_000;
