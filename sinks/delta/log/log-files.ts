import type { Storage, StoredFile } from '../storage/storage.ts';

/**
 * What lies in `_delta_log/`, by name (protocol, File Types). Versions have 20 digits, so names sort by version.
 *
 *     00000000000000000007.json                                      a commit
 *     00000000000000000007.checkpoint.parquet                        a classic checkpoint
 *     00000000000000000007.checkpoint.0000000001.0000000002.parquet  a part of a multi-part one
 *     00000000000000000007.checkpoint.UUID.json, .parquet            a v2 checkpoint
 *     00000000000000000003.00000000000000000007.compacted.json       not used
 *     _last_checkpoint                                               a hint
 */
export const logFolder = '_delta_log';

/** The file that points near the end of the log. It may be missing, empty or old, and is never believed further than that. */
export const lastCheckpointPath = `${logFolder}/_last_checkpoint`;

export interface LogListing {
  /** Ascending by version; the versions of the commits are not checked to be without a gap. */
  readonly commits: readonly CommitFile[];
  /** Complete ones, ascending by version. */
  readonly checkpoints: readonly Checkpoint[];
}

export interface CommitFile {
  readonly version: number;
  readonly path: string;
  readonly modifiedAtMs: number;
}

export interface Checkpoint {
  readonly version: number;
  readonly paths: readonly string[];
}

export function commitPath(version: number): string {
  return `${logFolder}/${digits20(version)}.json`;
}

export function checkpointPath(version: number): string {
  return `${logFolder}/${digits20(version)}.checkpoint.parquet`;
}

/** What is in the log, or the part of it from a version on, where the store can leave out the rest. */
export async function listLog(storage: Storage, fromVersion = 0): Promise<LogListing> {
  return sortLog(await storage.list(logFolder, { from: digits20(fromVersion) }));
}

export function sortLog(files: readonly StoredFile[]): LogListing {
  const commits: CommitFile[] = [];
  const checkpoints: Checkpoint[] = [];
  const parts = new Map<string, Map<number, string>>();
  for (const { path, modifiedAtMs } of files) {
    const named = logFileVersion(path);
    if (named === undefined) continue;
    const { version, rest } = named;
    const part = /^checkpoint\.(\d{10})\.(\d{10})\.parquet$/.exec(rest);
    if (rest === 'json') commits.push({ version, path, modifiedAtMs });
    else if (part !== null) {
      const key = `${version}/${Number(part[2])}`;
      parts.set(key, (parts.get(key) ?? new Map<number, string>()).set(Number(part[1]), path));
    } else if (/^checkpoint(\.[0-9a-f-]{36})?\.(parquet|json)$/i.test(rest) && rest !== 'checkpoint.json') {
      checkpoints.push({ version, paths: [path] });
    }
  }
  for (const [key, found] of parts) {
    const [version, wanted] = key.split('/').map(Number) as [number, number];
    // A writer that died in between leaves some of the parts; such a checkpoint is none.
    if (found.size === wanted && Array.from({ length: wanted }, (_, i) => i + 1).every((part) => found.has(part))) {
      checkpoints.push({ version, paths: [...found.values()] });
    }
  }
  const byVersion = (left: { version: number }, right: { version: number }): number => left.version - right.version;
  return { commits: commits.toSorted(byVersion), checkpoints: checkpoints.toSorted(byVersion) };
}

/** The version that a file of the log is of, and the rest of its name; undefined for other files. */
export function logFileVersion(path: string): { readonly version: number; readonly rest: string } | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const match = /^(\d{20})\.(.+)$/.exec(name);
  return match === null ? undefined : { version: Number(match[1]), rest: match[2]! };
}

function digits20(version: number): string {
  return String(version).padStart(20, '0');
}
