import type { EmbeddedLog, ReadLimits, TopicPartition } from '../../log/index.ts';
import { MillraceError } from '../../schemas/errors.ts';
import type { BatchWriter, Engine, GroupCommit, StateStore, StoreChange } from '../../state/index.ts';
import type { TopologyGraph } from '../graph/graph.ts';
import type { Topology } from '../topology.ts';
import { faults } from './faults.ts';
import type { ExceptionHandlers } from './handlers.ts';
import type { InputPartition } from './input-partition.ts';
import { Metrics } from './metrics.ts';
import { openTasks, type OpenedTopology } from './open-tasks.ts';
import type { Task } from './task.ts';

/**
 * Runs a topology in this thread, on the embedded log and the database beside it.
 *
 * The loop always runs the task whose head record is oldest, so that tasks behind each other stay close in event time.
 * What tasks send to each other is read on at once, as open records; the commit drains them, so that every commit is a
 * consistent cut: state, outputs and consumed offsets follow from the same source records, and one write makes them
 * durable together (docs/architecture/batch-execution.md).
 *
 *     poll ──> tasks ──> … until the log has no more, or the interval or the size bound is reached
 *          └─> flush caches, processors ──> drain hops ──> stage everything ──> one WriteBatch ──> publish
 */
export class EmbeddedRuntime {
  readonly metrics: Metrics;
  readonly #options: Required<Pick<RuntimeOptions, 'nowMs'>> & RuntimeOptions;
  readonly #config: RuntimeConfig;
  readonly #opened: OpenedTopology;
  readonly #stopListening: () => void;
  #uncommittedSince: number | undefined;
  #uncommittedRecords = 0;
  /** Of the bounds on caches and dirty bytes. */
  #memoryShare = 1;
  #running: Promise<void> | undefined;
  #stopping = false;
  #idle = false;
  #wake: (() => void) | undefined;
  #breathedAt = 0;
  #committed: readonly CommittedOffset[];
  #failure: unknown;
  #writing: Promise<void> | undefined;
  #standstills: Standstill[] = [];
  #waiting: CatchingUp[] = [];

  static async open(options: RuntimeOptions): Promise<EmbeddedRuntime> {
    const metrics = new Metrics();
    const holder: { runtime?: EmbeddedRuntime } = {};
    const config = { ...defaultConfig, ...options.config };
    const opened = await openTasks({
      ...options,
      config,
      metrics,
      nowMs: options.nowMs ?? Date.now,
      breathe: () => holder.runtime?.breathe(),
    });
    const runtime = new EmbeddedRuntime(options, config, opened, metrics);
    holder.runtime = runtime;
    return runtime;
  }

  private constructor(options: RuntimeOptions, config: RuntimeConfig, opened: OpenedTopology, metrics: Metrics) {
    this.#options = { nowMs: Date.now, ...options };
    this.#config = config;
    this.#opened = opened;
    this.metrics = metrics;
    this.#committed = this.#offsets();
    this.#stopListening = options.log.onAppend((partition) => this.#appended(partition));
  }

  get topology(): Topology {
    return this.#options.topology;
  }

  get graph(): TopologyGraph {
    return this.#options.topology.graph;
  }

  get applicationId(): string {
    return this.#options.applicationId;
  }

  get tasks(): readonly Task[] {
    return this.#opened.tasks;
  }

  /** Source offsets that committed state reflects. */
  get committedOffsets(): readonly CommittedOffset[] {
    return this.#committed;
  }

  get runningTasks(): readonly string[] {
    return this.tasks.map(({ id }) => id);
  }

  partitionsOf(store: string): number {
    return this.stores(store).length;
  }

  /** Prefixes of a store's rows in the state family, by partition. */
  storePrefix(name: string, partition: number): Uint8Array {
    return this.#opened.storePrefix(name, partition);
  }

  stores(name: string): readonly StateStore[] {
    return this.#opened.tasks.flatMap(({ stores }) => stores.get(name) ?? []);
  }

  /** Starts the loop. It ends with `stop()`, or with an error: `failure` says which, and `onFailure` is called. */
  start(): void {
    this.#running ??= this.#loop().catch((error: unknown) => {
      this.#failure = error;
      this.#rejectWaiting(error);
      this.#options.onFailure?.(error);
    });
  }

  /** Resolves when everything that is in the log now has been processed and committed, whatever comes meanwhile. */
  caughtUp(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(stopped(this.#failure));
    if (this.#stopping) return Promise.reject(stopped('it is being closed'));
    const goals = this.tasks.flatMap(({ inputs }) =>
      inputs
        .filter(({ isHop }) => !isHop)
        .map((input) => ({ input, end: this.#options.log.endOffset(input.partition) })),
    );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ goals, resolve, reject });
      for (const task of this.tasks) for (const input of task.inputs) input.wake();
      this.#wake?.();
    });
  }

  /**
   * Changes the stores from outside the tasks, which stand still meanwhile, right behind a commit. What `change` did to
   * the stores and what the function that it gives writes becomes durable as one commit; when it throws, nothing does.
   */
  async standStill(change: () => Promise<(writer: BatchWriter) => void>): Promise<void> {
    if (this.#failure !== undefined) throw stopped(this.#failure);
    if (this.#stopping) throw stopped('it is being closed');
    await new Promise<void>((resolve, reject) => {
      this.#standstills.push({ change, resolve, reject });
      this.#wake?.();
    });
  }

  /** Resolves when no commit is being written: then the database and `committedOffsets` agree. */
  async commitSettled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** It waits for somebody to append, or has ended. */
  get isIdle(): boolean {
    return this.#idle || this.#stopping || this.#failure !== undefined;
  }

  /**
   * Processes its sources up to these offsets, which are the log's ends now, and nothing beyond; then commits and closes. So
   * two runtimes over the same sources can be brought to one cut.
   */
  async finishAt(ends: readonly CommittedOffset[]): Promise<void> {
    for (const input of this.tasks.flatMap(({ inputs }) => inputs)) {
      const { topic, partition } = input.partition;
      const end = ends.find((other) => other.topic === topic && other.partition === partition);
      if (end !== undefined) input.endAt(end.offset);
    }
    await this.caughtUp();
    await this.stop();
  }

  /** Finishes the running batch, commits, and ends the loop. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
    this.#stopListening();
    this.#rejectWaiting('it is being closed');
    if (this.#failure === undefined) await this.commit();
    for (const task of this.tasks) task.close();
  }

  /** Gives up everything uncommitted, as a crash would; the database stays as the last commit left it. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
    this.#stopListening();
    this.#rejectWaiting('it was given up');
    for (const task of this.tasks) for (const store of task.stores.values()) store.discard();
  }

  /**
   * Runs until nothing is left to do, then commits; the test driver's way. `maxBatches` stops earlier, without a commit.
   */
  async drain({ maxBatchRecords, maxBatches = Infinity, commit = true }: DrainOptions = {}): Promise<void> {
    const limit = maxBatchRecords ?? this.#config.maxBatchRecords;
    for (const task of this.tasks) for (const input of task.inputs) input.wake();
    for (let batches = 0; batches < maxBatches; batches++) {
      if (await this.#step(limit)) continue;
      if (!commit) return;
      await this.commit();
      if (!(await this.#step(limit))) return;
    }
  }

  /** Runs due wall-clock punctuations; true when there were any. */
  async punctuate(): Promise<boolean> {
    const nowMs = this.#options.nowMs();
    let any = false;
    for (const task of this.tasks) if (await task.punctuate(nowMs)) any = true;
    if (any) this.#uncommittedSince ??= performance.now();
    return any;
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      if (this.#options.paused?.() === true) {
        await this.#sleep();
        continue;
      }
      const standstill = this.#standstills.shift();
      if (standstill !== undefined) {
        await this.#standStill(standstill);
        continue;
      }
      await this.#options.background?.();
      const waiting = this.#waiting.length;
      const punctuated = await this.punctuate();
      const worked = await this.#step(this.#batchLimit());
      const there = this.#waiting.filter(isThere);
      if (worked ? this.#commitDue() || there.length > 0 : this.#uncommittedSince !== undefined) {
        await this.commit();
        this.#tellCaughtUp(there);
      } else if (!worked && !punctuated) {
        // Nothing is left, wherever the log ends: what stood there may have been compacted away.
        this.#tellCaughtUp(this.#waiting.slice(0, waiting));
        if (this.#waiting.length === 0) await this.#sleep();
      }
      await this.breathe();
    }
  }

  async #standStill({ change, resolve, reject }: Standstill): Promise<void> {
    try {
      await this.commit();
      const also = await change().catch((error: unknown) => {
        for (const task of this.tasks) for (const store of task.stores.values()) store.discard();
        reject(error as Error);
      });
      if (also === undefined) return;
      this.#uncommittedSince = performance.now();
      await this.commit(also);
      resolve();
    } catch (error) {
      reject(stopped(error));
      throw error;
    }
  }

  #tellCaughtUp(of: readonly CatchingUp[]): void {
    this.#waiting = this.#waiting.filter((waiting) => !of.includes(waiting));
    for (const { resolve } of of) resolve();
  }

  #rejectWaiting(reason: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(stopped(reason));
    for (const { reject } of this.#standstills.splice(0)) reject(stopped(reason));
  }

  /** One batch of the task whose head record is oldest; false when there is none. */
  async #step(maxRecords: number): Promise<boolean> {
    const task = await this.#oldestTask(false);
    if (task === undefined) return false;
    await this.#run(task, maxRecords);
    faults.reached?.('after-poll');
    return true;
  }

  async #run(task: Task, maxRecords: number): Promise<void> {
    this.#uncommittedSince ??= performance.now();
    this.#uncommittedRecords += await task.run(maxRecords);
  }

  async #oldestTask(hopsOnly: boolean): Promise<Task | undefined> {
    let oldest: Task | undefined;
    let oldestMs = Infinity;
    for (const task of this.tasks) {
      for (const input of task.inputs) if (input.buffered === 0) await input.fill(this.#readLimits(), hopsOnly);
      const headMs = task.headTimestamp;
      if (headMs === undefined || (hopsOnly && !task.inputs.some((input) => input.isHop && input.buffered > 0)))
        continue;
      // Of equally old heads the last task wins: it is the furthest down, so that open records don't pile up.
      if (headMs <= oldestMs) {
        oldest = task;
        oldestMs = headMs;
      }
    }
    return oldest;
  }

  #readLimits(): ReadLimits {
    return { maxRecords: this.#config.maxFetchRecords, maxBytes: this.#config.maxFetchBytes };
  }

  /** Small batches while a query waits, so that it is answered within about a millisecond. */
  #batchLimit(): number {
    return this.#options.queriesWaiting?.() === true ? 64 : this.#config.maxBatchRecords;
  }

  #commitDue(): boolean {
    if (this.#uncommittedSince === undefined) return false;
    const { commitIntervalMs, backlogCommitIntervalMs } = this.#config;
    const elapsedMs = performance.now() - this.#uncommittedSince;
    if (elapsedMs >= commitIntervalMs) {
      if (elapsedMs >= backlogCommitIntervalMs || !this.#isBacklogged()) return true;
      if (this.#options.memory?.isTight === true) return true;
    }
    if (this.#uncommittedRecords >= this.#config.maxCommitRecords) return true;
    let dirtyBytes = 0;
    for (const task of this.tasks) dirtyBytes += task.dirtyBytes;
    return dirtyBytes >= this.#config.maxDirtyBytes * this.#memoryShare;
  }

  /** So far behind that nobody waits for the newest record: a backfill, or a start after a long pause. */
  #isBacklogged(): boolean {
    let lagRecords = 0;
    for (const { inputs } of this.tasks) {
      for (const { isHop, partition, consumedOffset } of inputs) {
        if (!isHop) lagRecords += this.#options.log.endOffset(partition) - consumedOffset;
      }
    }
    return lagRecords > this.#config.backlogRecords;
  }

  /**
   * The commit: flush, drain, stage, write, publish. Nothing is written before this, so when it fails nothing has to be
   * undone: the runtime stops, and starts again from the last commit.
   */
  async commit(also?: (writer: BatchWriter) => void): Promise<void> {
    await this.#flushAndDrain();
    if (this.#uncommittedSince === undefined) return;
    faults.reached?.('before-commit');
    const offsets = this.#offsets();
    const changed = new Map<StateStore, StoreChange[]>();
    this.#writing = this.#write(offsets, changed, also);
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
    for (const task of this.tasks) for (const store of task.stores.values()) store.committed();
    for (const channel of this.#opened.topics.channels()) channel.committed();
    for (const task of this.tasks) for (const input of task.inputs) input.wake();
    this.#committed = offsets;
    this.metrics.counter('commits').value += 1;
    this.metrics.counter('committed-records').value += this.#uncommittedRecords;
    this.#uncommittedSince = undefined;
    this.#uncommittedRecords = 0;
    faults.reached?.('after-commit');
    this.#publish(changed, offsets);
    this.#memoryShare = this.#options.memory?.share() ?? 1;
    this.#trim();
  }

  async #write(
    offsets: readonly CommittedOffset[],
    changed: Map<StateStore, StoreChange[]>,
    also?: (writer: BatchWriter) => void,
  ): Promise<void> {
    const { commits } = this.#options;
    if (faults.splitCommit) {
      await commits.submit((writer) => this.#stageOffsets(writer, offsets));
      faults.reached?.('inside-split-commit');
      await commits.submit((writer) => this.#stageChanges(writer, changed));
      return;
    }
    await commits.submit((writer) => {
      this.#stageOffsets(writer, offsets);
      this.#stageChanges(writer, changed);
      also?.(writer);
    });
  }

  async #flushAndDrain(): Promise<void> {
    for (;;) {
      const task = await this.#oldestTask(true);
      if (task !== undefined) {
        await this.#run(task, this.#config.maxBatchRecords);
        continue;
      }
      const pending = this.tasks.find(({ hasPendingFlush }) => hasPendingFlush);
      if (pending === undefined) return;
      await pending.flush();
    }
  }

  #stageOffsets(writer: BatchWriter, offsets: readonly CommittedOffset[]): void {
    const { log, applicationId } = this.#options;
    for (const task of this.tasks) this.#opened.state.stageTask(writer, task.id, task.state());
    log.stageOffsets(writer, applicationId, offsets);
  }

  #stageChanges(writer: BatchWriter, changed: Map<StateStore, StoreChange[]>): void {
    const published = this.#options.publish?.stores ?? [];
    for (const { stores } of this.tasks) {
      for (const store of stores.values()) {
        store.stageChanges(writer);
        if (published.includes(store.name)) changed.set(store, [...store.changes()]);
      }
    }
    for (const channel of this.#opened.topics.channels()) channel.stage(writer);
  }

  #publish(changed: ReadonlyMap<StateStore, StoreChange[]>, offsets: readonly CommittedOffset[]): void {
    const stores = [...changed].map(([{ name, partition }, changes]) => ({ name, partition, changes }));
    this.#options.publish?.onCommit({ stores, offsets });
  }

  /** Every store keeps its share of the bound, by what it holds now. */
  #trim(): void {
    const stores = this.tasks.flatMap((task) => [...task.stores.values()]);
    const cached = stores.reduce((sum, { cachedBytes }) => sum + cachedBytes, 0);
    const bound = this.#config.storeCacheBytes * this.#memoryShare;
    if (cached <= bound) return;
    for (const store of stores) store.trim((store.cachedBytes / cached) * bound);
  }

  #offsets(): CommittedOffset[] {
    return this.tasks.flatMap(({ inputs }) =>
      inputs.map(({ partition, consumedOffset }) => ({ ...partition, offset: consumedOffset })),
    );
  }

  #appended({ topic, partition }: TopicPartition): void {
    for (const { inputs } of this.tasks) {
      for (const input of inputs) {
        if (input.partition.topic === topic && input.partition.partition === partition) input.wake();
      }
    }
    this.#wake?.();
  }

  /** Until somebody appends, stops us, or a wall-clock punctuation is due. */
  async #sleep(): Promise<void> {
    const times = this.tasks.flatMap((task) => task.nextWallClockMs() ?? []);
    const timeoutMs =
      times.length === 0 ? 1000 : Math.min(1000, Math.max(0, Math.min(...times) - this.#options.nowMs()));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#idle = true;
      if (this.#stopping) this.#wake();
    });
    this.#idle = false;
    this.#wake = undefined;
  }

  /** Lets the event loop turn when a query waits, or every few milliseconds. */
  breathe(): Promise<void> | undefined {
    const now = performance.now();
    const waiting = this.#options.queriesWaiting?.() === true;
    if (!waiting && now - this.#breathedAt < this.#config.maxBatchMs) return undefined;
    this.#breathedAt = now;
    return new Promise((resolve) => setImmediate(resolve));
  }
}

interface CatchingUp {
  /** Ends of the source topics when it began. */
  readonly goals: readonly { readonly input: InputPartition; readonly end: number }[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function isThere({ goals }: CatchingUp): boolean {
  return goals.every(({ input, end }) => input.consumedOffset >= end);
}

interface Standstill {
  readonly change: () => Promise<(writer: BatchWriter) => void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface RuntimeOptions {
  readonly topology: Topology;
  /** Names the consumer group, prefixes internal topics, and keeps the state of several topologies in one folder apart. */
  readonly applicationId: string;
  readonly engine: Engine;
  /** The one way into the database, shared with the log. */
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
  /** Partitions of topics that don't exist yet; default 1. */
  readonly topics?: { readonly [topic: string]: number };
  readonly config?: Partial<RuntimeConfig>;
  readonly handlers?: Partial<ExceptionHandlers>;
  /** Where handlers send dead letters. Created when missing. */
  readonly deadLetterTopic?: string;
  /** Outputs go to topics of the application's own, dead letters too: nobody else hears of them. Default false. */
  readonly ownOutputs?: boolean;
  /** What it gives is waited for before each batch: for a runtime that works when others leave it time. */
  readonly background?: () => Promise<void> | undefined;
  /** Stores whose changes are handed on after every commit. */
  readonly publish?: { readonly stores: readonly string[]; readonly onCommit: (commit: PublishedCommit) => void };
  /** True while somebody waits for an answer from this thread. */
  readonly queriesWaiting?: () => boolean;
  readonly memory?: MemoryPressure;
  /** While true, nothing is read or committed; asked again when somebody appends, and every second. */
  readonly paused?: () => boolean;
  readonly onFailure?: (error: unknown) => void;
  readonly nowMs?: () => number;
}

/** What the process has of memory, for the parts of a runtime that can give way. */
export interface MemoryPressure {
  /** How much of `storeCacheBytes` and `maxDirtyBytes` may be used now, 0 to 1: asked after every commit. */
  share(): number;
  /** So near the bound that what waits for the commit should not wait on. */
  readonly isTight: boolean;
}

export interface RuntimeConfig {
  /** A commit at the latest after this time under load; when the log has no more, at once. */
  readonly commitIntervalMs: number;
  /**
   * The same while more than `backlogRecords` are unread. A commit writes every row that changed since the last one, so
   * hot rows make the cost of a commit, not of an event: a backfill commits rarely.
   */
  readonly backlogCommitIntervalMs: number;
  readonly backlogRecords: number;
  /** Records that tasks have processed since the last commit, counted in each task they come to. */
  readonly maxCommitRecords: number;
  readonly maxDirtyBytes: number;
  readonly maxBatchRecords: number;
  /** The event loop turns at least this often. */
  readonly maxBatchMs: number;
  readonly maxFetchRecords: number;
  readonly maxFetchBytes: number;
  /** Bound of all stores' caches together; what waits for the commit comes on top. */
  readonly storeCacheBytes: number;
  /** Record cache (Kafka Streams' statestore.cache.max.bytes): 0 switches it off, and every update is forwarded. */
  readonly recordCacheBytes: number;
  /** Every record takes the way through its bytes and the log, also between tasks. */
  readonly roundTrip: boolean;
}

export const defaultConfig: RuntimeConfig = {
  commitIntervalMs: 200,
  backlogCommitIntervalMs: 10_000,
  backlogRecords: 10_000,
  maxCommitRecords: 1_000_000,
  maxDirtyBytes: 128 * 1024 * 1024,
  maxBatchRecords: 1000,
  maxBatchMs: 4,
  maxFetchRecords: 2000,
  maxFetchBytes: 1024 * 1024,
  storeCacheBytes: 256 * 1024 * 1024,
  recordCacheBytes: 0,
  roundTrip: false,
};

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
}

export interface PublishedCommit {
  readonly stores: readonly {
    readonly name: string;
    readonly partition: number;
    readonly changes: readonly StoreChange[];
  }[];
  readonly offsets: readonly CommittedOffset[];
}

export interface DrainOptions {
  readonly maxBatchRecords?: number | undefined;
  readonly maxBatches?: number | undefined;
  readonly commit?: boolean | undefined;
}

function stopped(cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('TASK_STOPPED', `The topology has stopped: ${reason}`, {}, { cause });
}
