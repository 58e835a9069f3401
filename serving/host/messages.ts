import type { MessagePort } from 'node:worker_threads';
import type { Migrated, RocksEngineOptions } from '../../state/index.ts';
import type { ShopParameters } from '../../processors/index.ts';
import type { TopologyJson } from '../../topology/index.ts';
import type { KafkaSettings } from './kafka-database.ts';
import type { PeerQuestion } from './peers.ts';
import type { AnswerHere, Query } from './store-reader.ts';

/** What the thread that owns the database is started with. */
export interface HostSettings {
  readonly dataDir: string;
  /** Partitions of `interactions` and what follows from it; fixed when the folder is made. */
  readonly partitions: number;
  /** An acknowledgement survives a power loss, not just a process kill. */
  readonly syncWrites: boolean;
  readonly memoryBytesMax: number;
  readonly storeCacheBytes: number;
  /** A commit at the latest when so much has changed. */
  readonly dirtyBytesMax: number;
  readonly youngGenerationBytes: number;
  /** Bounds of the database's own memory and write-ahead log; state/ has the defaults. */
  readonly database?: Omit<RocksEngineOptions, 'onFailure'>;
  /** Nothing is taken while less of the disk is free (state/free-space.ts). */
  readonly storageReserveBytes: number;
  readonly commitIntervalMs: number;
  /** Between two passes of the log's housekeeping: retention, compaction. None while the topology stands still. */
  readonly cleaningIntervalMs: number;
  /** The log is on a cluster, and other instances may share the work. Default: the log is in the folder. */
  readonly kafka?: KafkaSettings;
  /** False: a replay that is under way waits (CLI commands that want a state that stays). */
  readonly replays: boolean;
  /** False: the log takes records and answers, the topology stands still (CLI commands that only read). */
  readonly runs: boolean;
  /** [0]: how many requests wait for an answer; the topology's batches shrink while it is not 0. */
  readonly waiting: SharedArrayBuffer;
}

export type Request =
  /** Appends to a topic. With event ids, those acknowledged before are left out and named in the answer. */
  | {
      readonly kind: 'produce';
      readonly topic: string;
      readonly records: ArrayBuffer;
      readonly eventIds?: readonly string[];
    }
  | { readonly kind: 'get'; readonly store: string; readonly key: string }
  /** Rows of any stores, all as of one commit. */
  | { readonly kind: 'getMany'; readonly keys: readonly { readonly store: string; readonly key: string }[] }
  /** Rows that look-ups need and the HTTP thread does not hold. */
  | ({ readonly kind: 'fetch' } & FetchRequest)
  /** A query as another instance asks it: of the partitions that are here. */
  | ({ readonly kind: 'askHere' } & PeerQuestion)
  /** A query that standbys may answer where the tasks that run cannot. */
  | { readonly kind: 'askStale'; readonly query: Query }
  /** Resolves when what has been committed to the log is in the state here: the group whose state answers are about. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'stores' }
  | { readonly kind: 'lag' }
  | { readonly kind: 'topology' }
  | { readonly kind: 'metrics' }
  /** Committed records of a topic, as they are, for replays of the source topics by other programs (verify). */
  | {
      readonly kind: 'read';
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly maxRecords: number;
    }
  /** Rows of a store partition in key order, from a key on. */
  | {
      readonly kind: 'scan';
      readonly store: string;
      readonly partition: number;
      readonly after: Uint8Array | null;
      readonly limit: number;
    }
  /** A page of a store in key order, for readers. */
  | ({ readonly kind: 'range' } & RangeRequest)
  /** Products by words of their titles. */
  | ({ readonly kind: 'search' } & SearchRequest)
  /** Windows or periods of one key, all as of one commit. */
  | ({ readonly kind: 'windows' } & WindowsRequest)
  /** Resolves when everything in the log has been processed and committed. */
  | { readonly kind: 'caughtUp' }
  /** Forgets users as if they had never been seen: state and log. */
  | { readonly kind: 'eraseUsers'; readonly users: readonly string[] }
  /** Copies everything as of now into a new folder, while all goes on. */
  | { readonly kind: 'backup'; readonly folder: string }
  /** Begins to process, where it was opened to stand still; `url`: where other instances reach this one. */
  | { readonly kind: 'start'; readonly url?: string }
  | { readonly kind: 'generations' }
  /** Builds a generation anew from the source topics, beside the active one, which it replaces when it has caught up. */
  | ({ readonly kind: 'replay' } & ReplayRequest)
  /** Brings a kept generation up to date, and makes it the active one. */
  | { readonly kind: 'activate'; readonly generation: number }
  /** Forgets a generation that is not active. */
  | { readonly kind: 'prune'; readonly generation: number }
  /** Connects another thread: it may send requests through this port. */
  | { readonly kind: 'connect'; readonly port: MessagePort }
  | { readonly kind: 'stop' };

export interface Answers {
  readonly produce: ProduceAnswer;
  readonly get: StoreAnswer;
  /** In the order of the keys; null where there is no row. */
  readonly getMany: { readonly values: readonly unknown[]; readonly asOf: readonly SourceOffset[] };
  /** A slice of published rows. */
  readonly fetch: ArrayBuffer;
  readonly askHere: AnswerHere;
  readonly askStale: AnswerHere;
  readonly settled: { readonly group: string };
  readonly stores: readonly StoreFacts[];
  readonly lag: readonly PartitionLag[];
  readonly topology: { readonly text: string; readonly json: TopologyJson; readonly execution: string };
  readonly metrics: { readonly [counter: string]: number };
  readonly read: { readonly records: ArrayBuffer; readonly nextOffset: number };
  readonly scan: ScanAnswer;
  readonly range: RangePage & { readonly asOf: readonly SourceOffset[] };
  readonly search: SearchAnswer & { readonly asOf: readonly SourceOffset[] };
  /** null: the store has nothing of this key. */
  readonly windows: { readonly found: StoreWindows | null; readonly asOf: readonly SourceOffset[] };
  readonly caughtUp: readonly SourceOffset[];
  readonly eraseUsers: Erased;
  readonly backup: { readonly rows: number; readonly bytes: number; readonly asOf: readonly SourceOffset[] };
  readonly start: null;
  readonly generations: readonly GenerationFacts[];
  readonly replay: GenerationFacts;
  readonly activate: GenerationFacts;
  readonly prune: null;
  readonly connect: null;
  readonly stop: null;
}

export interface Erased {
  /** That had been accepted. */
  readonly events: number;
  readonly deadLetters: number;
}

export interface ReplayRequest {
  readonly from: ReplayStart;
  /** It is known that records before the start are gone. */
  readonly trimmed: boolean;
  /** Of the shop, those that are to be others than the active generation's (processors/shop-parameters.ts). */
  readonly parameters: { readonly [name: string]: number };
}

/** Where a replay begins in `interactions`. */
export type ReplayStart =
  | { readonly kind: 'earliest' }
  /** The first record of each partition whose own time is not before it. */
  | { readonly kind: 'time'; readonly timeMs: number }
  /** By partition; one alone is for all. */
  | { readonly kind: 'offsets'; readonly offsets: readonly number[] };

export interface GenerationFacts {
  readonly id: number;
  readonly state: 'active' | 'replaying' | 'kept';
  readonly parameters: ShopParameters;
  /** Where it began; a partition that is not named: at the beginning. */
  readonly startOffsets: readonly SourceOffset[];
  /** 0: with the folder. */
  readonly createdMs: number;
  /** When it last became the active one; null: with the folder, or never. */
  readonly activatedMs: number | null;
  /** From which offsets of the source topics on it then said what others hear. */
  readonly activeFrom: readonly SourceOffset[] | null;
  /** While it replays, or where it has failed to. */
  readonly progress: ReplayProgress | null;
}

export interface ReplayProgress {
  /** Records of the source topics. */
  readonly processed: number;
  /** Grows while records come. */
  readonly total: number;
  readonly recordsPerSecond: number;
  /** null: not known yet. */
  readonly secondsLeft: number | null;
  readonly isHandingOver: boolean;
  readonly error: ErrorFields | null;
}

export interface ProduceAnswer {
  readonly appended: number;
  /** Indexes of records that were left out: their event ids have been acknowledged before. */
  readonly duplicates: readonly number[];
}

export interface SourceOffset {
  readonly topic: string;
  readonly partition: number;
  /** The next offset of the topic that committed state does not reflect yet. */
  readonly offset: number;
}

/** A store's answer is about committed state, and says which source records it reflects. */
export interface StoreAnswer {
  readonly found: boolean;
  readonly partition: number | undefined;
  /** Decoded and fit for JSON. */
  readonly value: unknown;
  readonly asOf: readonly SourceOffset[];
}

export interface FetchRequest {
  /** Item ids: whether they had events, and are services or inactive; their numbers and marginals. */
  readonly productsOf: readonly string[];
  /** Item numbers: their rows of `pair-item-names`. */
  readonly namesOf: readonly { readonly partition: number; readonly number: number }[];
  /** Item ids: their pair rows of all relations. */
  readonly pairsOf: readonly string[];
  /** Item ids: their rows of `product-titles` and `products`. */
  readonly titlesOf: readonly string[];
  /** Item ids: their rows of `product-categories`. */
  readonly categoriesOf: readonly string[];
  /** Categories: their rows of `category-tops`. */
  readonly topsOf: readonly string[];
  /** User ids: their rows of `user-profiles`. */
  readonly users: readonly string[];
}

export interface ScanAnswer {
  readonly rows: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  readonly done: boolean;
  readonly asOf: readonly SourceOffset[];
}

/** Keys as text, JSON where they are no strings; `[from, to)`, or all that begin with `prefix`. */
export interface RangeRequest {
  readonly store: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly prefix: string | null;
  readonly limit: number;
  /** Of the page before. */
  readonly cursor: string | null;
}

export interface RangePage {
  readonly rows: readonly {
    readonly key: string;
    /** Of a window store. */
    readonly windowStartMs?: number;
    readonly partition: number;
    readonly value: unknown;
  }[];
  /** null: this page is the last. */
  readonly cursor: string | null;
}

export interface SearchRequest {
  readonly query: string;
  readonly limit: number;
  /** Inactive products too. */
  readonly inactive: boolean;
}

export interface SearchAnswer {
  /** By rank. */
  readonly products: readonly FoundProduct[];
  /** A bound was met: products may be missing, also of higher rank. */
  readonly truncated: boolean;
}

export interface FoundProduct {
  readonly id: string;
  readonly title: string;
  readonly category: string | null;
  /** In the catalogue, in 1/10,000 of the currency. */
  readonly price: number | null;
  readonly active: boolean;
  readonly purchases: number;
  readonly views: number;
}

/** Those that overlap `[fromMs, toMs)`; null: without that bound. */
export interface WindowsRequest {
  readonly store: string;
  /** Where rows are of a key and a month: the key alone. */
  readonly key: string;
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

export interface StoreWindows {
  readonly partition: number;
  /** Ascending in time. */
  readonly windows: readonly StoreWindow[];
}

export interface StoreWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly value: unknown;
}

export interface StoreFacts {
  readonly name: string;
  readonly kind: string;
  readonly partitions: number;
  readonly keySerde: string;
  readonly valueSerde: string;
  readonly subtopology: number;
  readonly cachedBytes: number;
  readonly dirtyBytes: number;
  /** Partitions whose state is being restored from their changelog here. */
  readonly restoring: readonly {
    readonly partition: number;
    readonly records: number;
    /** At most, from the beginning to the end. */
    readonly recordsMax: number;
    readonly recordsPerSecond: number;
    /** null: not known yet. */
    readonly remainingMs: number | null;
    /** From the beginning: what was here was of no use. */
    readonly full: boolean;
  }[];
}

export interface PartitionLag {
  readonly task: string;
  readonly topic: string;
  readonly partition: number;
  readonly committedOffset: number;
  readonly endOffset: number;
  readonly lagRecords: number;
}

export interface RequestMessage {
  readonly id: number;
  readonly request: Request;
}

/** From the host thread: an answer, or news. */
export type HostMessage =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorFields }
  | { readonly kind: 'opened'; readonly partitions: number }
  /** Comes before `opened`: the folder was of an older format. */
  | { readonly kind: 'migrated'; readonly migrated: Migrated }
  | { readonly kind: 'openFailed'; readonly error: ErrorFields }
  /** The topology has stopped; the log and look-ups go on. */
  | { readonly kind: 'topologyFailed'; readonly error: ErrorFields }
  /** Nothing can be written, with the reason; null when it can be again. */
  | { readonly kind: 'storage'; readonly error: ErrorFields | null }
  /** For the operator's eyes: a restore, a task that was given up. */
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'publication'; readonly publication: Publication };

/**
 * Rows of published stores that changed, in slices; they take effect together, when the last one has come. The first
 * publication is the whole content at start.
 */
export interface Publication {
  readonly slice: ArrayBuffer;
  readonly last: boolean;
  /** All that look-ups need, as at start; what was fetched before may be out of date. */
  readonly whole: boolean;
  /** Of the state that answers are about. Another one than before comes whole: nothing of the one before holds there. */
  readonly generation: number;
  readonly asOf: readonly SourceOffset[];
  readonly committedAtMs: number;
}

/** An error as it crosses threads. */
export interface ErrorFields {
  readonly code: string;
  readonly message: string;
  readonly facts: { readonly [fact: string]: string | number | boolean | null };
}
