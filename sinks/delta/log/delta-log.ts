import { MillraceError } from '../../../schemas/errors.ts';
import type { DuckDb } from '../parquet/duck-db.ts';
import type { Storage } from '../storage/storage.ts';
import { readCheckpoint } from './checkpoint-reader.ts';
import { parseCommit } from './commit-file.ts';
import { parseExactJson } from './exact-json.ts';
import {
  type Checkpoint,
  type CommitFile,
  commitPath,
  lastCheckpointPath,
  listLog,
  logFolder,
  type LogListing,
} from './log-files.ts';
import { checkReadable } from './protocol.ts';
import { type Commit, Snapshot } from './snapshot.ts';

/**
 * The log of a table, read: the newest complete checkpoint at or before the version that is wanted, then every commit after
 * it. What is missing in between is an error, never passed over.
 */
export class DeltaLog {
  readonly storage: Storage;
  readonly #db: DuckDb;

  constructor(storage: Storage, db: DuckDb) {
    this.storage = storage;
    this.#db = db;
  }

  /** Everything in the log, for history and cleaning. */
  listing(): Promise<LogListing> {
    return listLog(this.storage);
  }

  /**
   * The table as it is, or at a version.
   * @throws MillraceError `TABLE_NOT_FOUND`; `TABLE_VERSION_NOT_FOUND` when it is not in the log, or not any more;
   *   `TABLE_CORRUPT`; `TABLE_UNSUPPORTED`
   */
  async snapshot(version?: number): Promise<Snapshot> {
    const listing = await this.#listingFor(version);
    const last = listing.commits.at(-1)?.version ?? listing.checkpoints.at(-1)?.version;
    if (last === undefined) {
      throw new MillraceError(
        'TABLE_NOT_FOUND',
        `There is no Delta table in ${this.storage.location}: its log is empty`,
        {
          table: this.storage.location,
        },
      );
    }
    const target = version ?? last;
    if (target > last || target < 0) throw this.#versionNotFound(target, listing);
    const checkpoint = listing.checkpoints.findLast((each) => each.version <= target);
    const snapshot = await this.#replay(checkpoint, listing, target);
    checkReadable(snapshot.protocol, snapshot.metadata, this.storage.location);
    return snapshot;
  }

  /** The snapshot played on to the newest commit; itself when there is none after it. */
  async latest(from: Snapshot): Promise<Snapshot> {
    let snapshot = from;
    for (;;) {
      const commit = await this.commit(snapshot.version + 1);
      if (commit === undefined) return snapshot;
      snapshot = snapshot.next(commit);
      checkReadable(snapshot.protocol, snapshot.metadata, this.storage.location);
    }
  }

  /** One commit; undefined where the log has none of this version. */
  async commit(version: number): Promise<Commit | undefined> {
    const path = commitPath(version);
    const bytes = await this.storage.read(path);
    return bytes && { version, actions: parseCommit(bytes, `${path} of ${this.storage.location}`) };
  }

  /** A listing that has what the version takes; from the last checkpoint on, when that is enough. */
  async #listingFor(version: number | undefined): Promise<LogListing> {
    const hint = await this.#lastCheckpointHint();
    if (hint !== undefined && hint <= (version ?? hint)) {
      const listing = await listLog(this.storage, hint);
      if (listing.checkpoints.some((each) => each.version <= (version ?? Infinity))) return listing;
    }
    return listLog(this.storage);
  }

  /** A hint that is missing, empty, old or torn costs a longer listing and nothing else. */
  async #lastCheckpointHint(): Promise<number | undefined> {
    const bytes = await this.storage.read(lastCheckpointPath);
    try {
      const hint = bytes && parseExactJson(new TextDecoder().decode(bytes));
      const version = typeof hint === 'object' && hint !== null && 'version' in hint ? hint.version : undefined;
      return typeof version === 'number' && version >= 0 ? version : undefined;
    } catch {
      return undefined;
    }
  }

  async #replay(checkpoint: Checkpoint | undefined, listing: LogListing, target: number): Promise<Snapshot> {
    const after = checkpoint?.version ?? -1;
    const files = listing.commits.filter(({ version }) => version > after && version <= target);
    this.#mustBeWhole(files, after, target, listing);
    const actions = checkpoint && (await readCheckpoint(this.storage, this.#db, checkpoint));
    const commits = await inParallel(files, readsAtOnce, (file) => this.#read(file));
    // The commit at the checkpoint tells where its version comes from.
    const own = files.length === 0 ? await this.commit(after) : undefined;
    const provenance = own?.actions.filter((action) => 'commitInfo' in action);
    return Snapshot.replay(
      this.storage.location,
      actions && { version: after, actions },
      provenance === undefined ? commits : [{ version: after, actions: provenance }],
    );
  }

  async #read({ version, path }: CommitFile): Promise<Commit> {
    const bytes = await this.storage.read(path);
    if (bytes === undefined) throw this.#versionNotFound(version, { commits: [], checkpoints: [] });
    return { version, actions: parseCommit(bytes, `${path} of ${this.storage.location}`) };
  }

  #mustBeWhole(files: readonly CommitFile[], after: number, target: number, listing: LogListing): void {
    const wanted = target - after;
    if (files.length === wanted) return;
    const missing = files.findIndex((file, at) => file.version !== after + 1 + at);
    const version = missing === -1 ? after + 1 + files.length : after + 1 + missing;
    // What was cleaned away is not broken; it is just not there any more.
    if (listing.checkpoints.length > 0 && listing.checkpoints[0]!.version > target)
      throw this.#versionNotFound(target, listing);
    throw new MillraceError(
      'TABLE_CORRUPT',
      `The log of ${this.storage.location} has a gap: version ${target} wants ${wanted} commits after ${after < 0 ? 'nothing' : `the checkpoint ${after}`}, found ${files.length}; ${commitPath(version)} is missing`,
      { table: this.storage.location, version },
    );
  }

  #versionNotFound(version: number, { commits, checkpoints }: LogListing): MillraceError {
    const first = checkpoints[0]?.version ?? commits[0]?.version;
    const last = commits.at(-1)?.version ?? checkpoints.at(-1)?.version;
    const found = commits[0]?.version === 0 ? `0 to ${last}` : `${first} to ${last}`;
    return new MillraceError(
      'TABLE_VERSION_NOT_FOUND',
      `The table ${this.storage.location} has no version ${version}: its log in ${logFolder} reaches from ${found}`,
      { table: this.storage.location, version },
    );
  }
}

const readsAtOnce = 16;

/** The results in the order of the items, so many at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
