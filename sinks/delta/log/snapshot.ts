import { MillraceError } from '../../../schemas/errors.ts';
import {
  type Action,
  type AddFile,
  type ApplicationTransaction,
  type CommitInfo,
  type DomainMetadata,
  fileKey,
  type Metadata,
  type Protocol,
  type RemoveFile,
} from './action.ts';

/**
 * A table at a version: what is left when the log is played to it (protocol, Action Reconciliation). The newest protocol,
 * metadata, transaction of each application and configuration of each domain hold; of each logical file the newest add or
 * remove does. Within a commit the order of actions means nothing: removes are applied first, because a commit may remove
 * a file and add it again with other statistics.
 *
 * A snapshot never changes. `next` makes the one after it, which keeps the commit for itself until somebody asks for files:
 * a writer that appends ten thousand times copies no list of files ten thousand times.
 */
export class Snapshot {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly transactions: ReadonlyMap<string, ApplicationTransaction>;
  /** Without those that were removed. */
  readonly domains: ReadonlyMap<string, DomainMetadata>;
  /** Of the commit at this version; undefined where it has none, and where the checkpoint was all that was read. */
  readonly commitInfo: CommitInfo | undefined;
  #files: FileMaps | undefined;
  #pending: readonly PendingCommit[];
  #base: FileMaps;

  private constructor(state: State, base: FileMaps, pending: readonly PendingCommit[]) {
    this.version = state.version;
    this.protocol = state.protocol;
    this.metadata = state.metadata;
    this.transactions = state.transactions;
    this.domains = state.domains;
    this.commitInfo = state.commitInfo;
    this.#base = base;
    this.#pending = pending;
  }

  /**
   * Plays commits over what a checkpoint holds, or over nothing.
   * @throws MillraceError `TABLE_CORRUPT` without a protocol or metadata
   */
  static replay(location: string, checkpoint: Commit | undefined, commits: readonly Commit[]): Snapshot {
    const all = checkpoint === undefined ? commits : [checkpoint, ...commits];
    let state: Partial<State> = {};
    for (const commit of all) state = stateAfter(state, commit);
    const { version = -1, protocol, metadata, transactions = new Map(), domains = new Map() } = state;
    if (protocol === undefined || metadata === undefined) {
      const missing = protocol === undefined ? 'protocol' : 'metaData';
      throw new MillraceError(
        'TABLE_CORRUPT',
        `The log of ${location} has no ${missing} action up to version ${version}`,
        {
          table: location,
          version,
        },
      );
    }
    // A checkpoint has no provenance: what it says of the commit is not what the commit says.
    const commitInfo = commits.length === 0 ? undefined : state.commitInfo;
    const whole: State = { version, protocol, metadata, transactions, domains, commitInfo };
    return new Snapshot(whole, emptyMaps, all.map(pendingOf));
  }

  /** The table after one more commit. */
  next(commit: Commit): Snapshot {
    const state = stateAfter(this, commit) as State;
    const [base, pending] = this.#files === undefined ? [this.#base, this.#pending] : [this.#files, []];
    return new Snapshot(state, base, [...pending, pendingOf(commit)]);
  }

  /** The files of the table, by `fileKey`. */
  get files(): ReadonlyMap<string, AddFile> {
    return this.#maps().files;
  }

  /** Files that were removed and may still be read by those who have an older snapshot, by `fileKey`. */
  get tombstones(): ReadonlyMap<string, RemoveFile> {
    return this.#maps().tombstones;
  }

  #maps(): FileMaps {
    if (this.#files !== undefined) return this.#files;
    const files = new Map(this.#base.files);
    const tombstones = new Map(this.#base.tombstones);
    for (const { adds, removes } of this.#pending) {
      for (const remove of removes) {
        const key = fileKey(remove);
        files.delete(key);
        tombstones.set(key, remove);
      }
      for (const add of adds) {
        const key = fileKey(add);
        tombstones.delete(key);
        files.set(key, add);
      }
    }
    this.#pending = [];
    this.#base = emptyMaps;
    return (this.#files = { files, tombstones });
  }
}

/** An entry of the log, or a checkpoint as if it were one. */
export interface Commit {
  readonly version: number;
  readonly actions: readonly Action[];
}

interface State {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly transactions: ReadonlyMap<string, ApplicationTransaction>;
  readonly domains: ReadonlyMap<string, DomainMetadata>;
  readonly commitInfo: CommitInfo | undefined;
}

interface FileMaps {
  readonly files: ReadonlyMap<string, AddFile>;
  readonly tombstones: ReadonlyMap<string, RemoveFile>;
}

interface PendingCommit {
  readonly adds: readonly AddFile[];
  readonly removes: readonly RemoveFile[];
}

const emptyMaps: FileMaps = { files: new Map(), tombstones: new Map() };

function pendingOf({ actions }: Commit): PendingCommit {
  const adds: AddFile[] = [];
  const removes: RemoveFile[] = [];
  for (const action of actions) {
    if ('add' in action) adds.push(action.add);
    else if ('remove' in action) removes.push(action.remove);
  }
  return { adds, removes };
}

/** What changes with a commit besides files. Maps are copied when they change, and small. */
function stateAfter(before: Partial<State>, { version, actions }: Commit): Partial<State> {
  let { protocol, metadata, transactions = new Map(), domains = new Map() } = before;
  let commitInfo: CommitInfo | undefined;
  const newTransactions = actions.flatMap((action) => ('txn' in action ? [action.txn] : []));
  if (newTransactions.length > 0) {
    transactions = new Map([...transactions, ...newTransactions.map((txn) => [txn.appId, txn] as const)]);
  }
  for (const action of actions) {
    if ('protocol' in action) protocol = action.protocol;
    else if ('metaData' in action) metadata = action.metaData;
    else if ('commitInfo' in action) commitInfo = action.commitInfo;
    else if ('domainMetadata' in action) {
      const { domain, removed } = action.domainMetadata;
      const others = [...domains].filter(([name]) => name !== domain);
      domains = new Map(removed ? others : [...others, [domain, action.domainMetadata]]);
    }
  }
  return {
    version,
    transactions,
    domains,
    commitInfo,
    ...(protocol && { protocol }),
    ...(metadata && { metadata }),
  };
}
