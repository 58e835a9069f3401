import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumedOffset, GroupMember, Log, TopicPartition } from '../../log/index.ts';
import { isMillraceError, type ErrorCode, type MillraceError } from '../../schemas/errors.ts';
import type { Engine, GroupCommit, StateStore, StoreChange } from '../../state/index.ts';
import type { TopologyGraph } from '../graph/graph.ts';
import { ApplicationState } from '../runtime/application-state.ts';
import { numberedStores } from '../runtime/application-stores.ts';
import type { ExceptionHandlers } from '../runtime/handlers.ts';
import { Metrics } from '../runtime/metrics.ts';
import { taskId } from '../runtime/open-task.ts';
import { prepareTopics, sourceTopics } from '../runtime/prepare-topics.ts';
import { storePrefix } from '../runtime/store-factory.ts';
import { fullTopicName } from '../runtime/topic-names.ts';
import type { Topology } from '../topology.ts';
import { groupCaughtUp, groupHasReached, subtopologiesInOrder, type GroupProgress } from './caught-up.ts';
import { changelogTopic } from './changelog.ts';
import { changelogTopics } from './changelog-topics.ts';
import type { RestoreProgress } from './changelog-reader.ts';
import { clusterOf, knowsNobody, type Cluster, type Host, type TaskOwner } from './cluster.ts';
import { DistributedTask } from './distributed-task.ts';
import type { AssignedTask, DistributedEnvironment } from './environment.ts';
import { FolderMember } from './folder-member.ts';
import { taskPositions } from './positions.ts';
import { Standbys } from './standbys.ts';
import { tasksOf, TaskAssignor } from './task-assignor.ts';
import { RepartitionPurge } from './repartition-purge.ts';
import type { SourceGate } from './source-gate.ts';
import type { ProcessingGuarantee } from './task-committer.ts';
import { storesOf } from './task-state.ts';

/**
 * Runs the tasks of a topology that fall to this instance, on a log that instances share.
 *
 *     group: partitions ─> tasks opened (fenced, restored) beside the running ones ─> loop: oldest head first ─> commit, each task
 *            revoked ─> committed and closed, before the group hears that they are free
 *
 * A task that can't commit (fenced, outcome unknown, brokers away) is given up: what it did since its last commit is forgotten, and
 * it is opened again while it is still this instance's. Everything else that goes wrong ends the runtime: `failure`.
 */
export class DistributedRuntime {
  readonly metrics: Metrics;
  readonly #options: DistributedOptions;
  readonly #config: DistributedConfig;
  readonly #environment: DistributedEnvironment;
  /** Every task of the topology, by id. */
  readonly #all: ReadonlyMap<string, AssignedTask>;
  readonly #topics: readonly string[];
  /** This instance's, open or not. */
  readonly #assigned = new Map<string, AssignedTask>();
  readonly #open = new Map<string, DistributedTask>();
  readonly #opening = new Map<string, Opening>();
  readonly #restores = new Map<string, RestoreProgress>();
  /** Steps of the loop and rebalances, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  readonly #standbys: Standbys;
  readonly #purge: RepartitionPurge;
  #cluster: Cluster = knowsNobody;
  #rejoinedAt = -Infinity;
  #member: GroupMember | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  #failure: unknown;
  #worked = false;
  #uncommittedSince: number | undefined;
  #wokenAt = 0;
  #breathedAt = 0;

  /** Creates topics that are missing, changelogs among them, and checks the folder. It joins the group when it is started. */
  static async open(options: DistributedOptions): Promise<DistributedRuntime> {
    const { topology, applicationId, log, engine, commits } = options;
    const { graph } = topology;
    const config = { ...defaultDistributedConfig, ...options.config };
    const { counts, partitions } = await prepareTopics({ ...options, graph, internal: {} });
    const tasks = new Map<string, AssignedTask>();
    const sources = new Set<string>();
    for (const subtopology of graph.subtopologies) {
      const of = sourceTopics(graph, options, subtopology, counts);
      for (const { topic } of of) sources.add(topic);
      for (let partition = 0; partition < partitions.tasks.get(subtopology.id)!; partition++) {
        const read = of.flatMap(({ topic }) => (partition < counts.get(topic)! ? { topic, partition } : []));
        tasks.set(taskId({ subtopology, partition }), { subtopology, partition, sources: of, partitions: read });
      }
    }
    const { deleteRetentionMs, windowChangelogAdditionalMs: additionalMs } = config;
    const { tasks: taskCounts } = partitions;
    await log.createTopics(
      changelogTopics(graph, { applicationId, tasks: taskCounts, deleteRetentionMs, additionalMs }),
    );

    const state = new ApplicationState(engine, applicationId);
    const storeIds = await numberedStores(state, commits, graph, partitions.internalTopics);
    const metrics = new Metrics();
    const nowMs = options.nowMs ?? Date.now;
    const holder: { runtime?: DistributedRuntime } = {};
    const environment: DistributedEnvironment = {
      ...options,
      group: options.group ?? applicationId,
      gate: options.gate,
      graph,
      metrics,
      nowMs,
      state,
      storeIds,
      counts,
      maxRecordBytes: config.maxRecordBytes,
      maxBatchRecords: config.maxBatchRecords,
      slowBatchMs: config.slowBatchMs,
      recordCacheBytes: config.recordCacheBytes,
      breathe: () => holder.runtime?.breathe(),
      processingGuarantee: options.processingGuarantee ?? 'exactly_once',
      commitOffsets: async (offsets) => await holder.runtime!.#member!.commitOffsets(offsets),
      restoring: {
        log,
        commits,
        state,
        nowMs,
        positionAgeMsMax: config.deleteRetentionMs / 2,
      },
    };
    const internal = new Set([...partitions.internalTopics.keys()].map((name) => fullTopicName(graph, options, name)));
    holder.runtime = new DistributedRuntime(options, config, environment, { tasks, topics: [...sources], internal });
    return holder.runtime;
  }

  private constructor(
    options: DistributedOptions,
    config: DistributedConfig,
    environment: DistributedEnvironment,
    all: {
      readonly tasks: ReadonlyMap<string, AssignedTask>;
      readonly topics: readonly string[];
      readonly internal: ReadonlySet<string>;
    },
  ) {
    this.#options = options;
    this.#config = config;
    this.#environment = environment;
    this.metrics = environment.metrics;
    this.#all = all.tasks;
    this.#topics = all.topics;
    this.#purge = new RepartitionPurge({
      log: options.log,
      topics: all.internal,
      intervalMs: config.repartitionPurgeIntervalMs,
      onFailure: (error) => this.#notPurged(error),
    });
    this.#standbys = new Standbys(environment, {
      wanted: () => this.#followed(),
      pollIntervalMs: config.standbyPollIntervalMs,
      retryMs: config.reopenDelayMs,
      onTurn: () => this.#followedOn(),
      onReleased: (task) => this.metrics.forget('standby-lag-records', { task }),
      onFailure: (error) => this.#fail(error),
    });
  }

  get topology(): Topology {
    return this.#options.topology;
  }

  get graph(): TopologyGraph {
    return this.#options.topology.graph;
  }

  /** Source offsets that the committed state of this instance's tasks reflects. */
  get committedOffsets(): readonly ConsumedOffset[] {
    return [...this.#open.values()].flatMap(({ committedOffsets }) => committedOffsets);
  }

  /** Resolves when no commit is being written: then the database and `committedOffsets` agree. */
  async commitSettled(): Promise<void> {
    for (const task of this.#open.values()) await task.commitSettled();
  }

  /** Resolves when no task here is committing: then what the log has of theirs is in the database too. */
  async commitsEnded(): Promise<void> {
    for (const task of this.#open.values()) await task.commitEnded();
  }

  /** Resolves when every instance has processed and committed what the log has now, and what follows from it. */
  caughtUp(): Promise<void> {
    return groupCaughtUp({ ...this.#progress(), isStopped: () => this.#stopping });
  }

  /** Whether every instance has processed and committed its sources up to `ends`, and what follows from them. */
  async hasReached(ends: readonly ConsumedOffset[]): Promise<boolean> {
    return await groupHasReached(this.#progress(), ends);
  }

  #progress(): GroupProgress {
    const { log } = this.#options;
    return { log, group: this.#environment.group, stages: this.#stages() };
  }

  /** Those tasks of the topology that read any of these topics, full names: whom a gate holds. */
  tasksReading(topics: ReadonlySet<string>): readonly string[] {
    return [...this.#all].flatMap(([id, { partitions }]) =>
      partitions.some(({ topic }) => topics.has(topic)) ? id : [],
    );
  }

  /** Prefix of a store's rows in the state family. */
  storePrefix(name: string, partition: number): Uint8Array {
    return storePrefix(this.#environment.storeIds.get(name)!, partition);
  }

  get runningTasks(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** All instances' together. */
  partitionsOf(store: string): number {
    const { id } = this.graph.subtopologies.find(({ stores }) => stores.includes(store))!;
    return [...this.#all.values()].filter(({ subtopology }) => subtopology.id === id).length;
  }

  /** Of the tasks that are open here. */
  stores(name: string): readonly StateStore[] {
    return [...this.#open.values()].flatMap(({ task }) => task.stores.get(name) ?? []);
  }

  /**
   * Stores of tasks that this instance has the state of and does not run: standbys, and its own tasks that are being restored. For
   * whoever takes an old answer rather than none: only what is committed can be read of them (`committedGet` and its like).
   */
  standbyStores(name: string): readonly StandbyStore[] {
    const standbys = [...this.#standbys.tasks()].map(([taskId, { stores, lagRecords }]) => ({
      taskId,
      store: stores.get(name),
      lagRecords,
    }));
    const opening = [...this.#opening].map(([taskId, { stores }]) => {
      const store = stores.get(name);
      const progress = store && this.#restores.get(this.#changelogName(name, store.partition));
      return { taskId, store, lagRecords: progress && progress.endOffset - progress.offset };
    });
    return [...standbys, ...opening].flatMap(({ store, ...of }) => (store === undefined ? [] : { ...of, store }));
  }

  /** Ids of tasks: this instance's, and those of them that run. */
  get tasks(): { readonly assigned: readonly string[]; readonly running: readonly string[] } {
    return { assigned: [...this.#assigned.keys()].toSorted(), running: [...this.#open.keys()].toSorted() };
  }

  /** Those of a store that are under way, by partition. */
  restoresOf(store: string): readonly RestoreProgress[] {
    const partitions = Array.from({ length: this.partitionsOf(store) }, (_, partition) => partition);
    return partitions.flatMap((partition) => {
      const progress = this.#restores.get(this.#changelogName(store, partition));
      return progress === undefined || progress.offset >= progress.endOffset ? [] : [progress];
    });
  }

  /** Restores that are under way or were, by partition of a changelog. */
  get restores(): readonly RestoreProgress[] {
    return [...this.#restores.values()];
  }

  /**
   * Who runs which task, as the group last shared out: all tasks, in order. While one changes hands nobody does, and it is known
   * that nobody does; of an instance that was lost it is known when the group has missed it for its session time-out.
   */
  owners(): readonly TaskOwner[] {
    return [...this.#all].map(([id, task]) => this.#cluster.owner(id, task));
  }

  /** Instances of the group, as it last shared out. */
  get members(): readonly Host[] {
    return this.#cluster.members;
  }

  /** How far the tasks that are open here are behind, input by input. */
  async lag(): Promise<readonly TaskLag[]> {
    const inputs = [...this.#open.values()].flatMap(({ id, committedOffsets }) =>
      committedOffsets.map((committed) => ({ task: id, ...committed })),
    );
    return await Promise.all(
      inputs.map(async ({ task, topic, partition, offset }) => {
        const endOffset = await this.#options.log.listOffsets({ topic, partition }, 'latest');
        const lagRecords = Math.max(0, endOffset - offset);
        return { task, topic, partition, committedOffset: offset, endOffset, lagRecords };
      }),
    );
  }

  /** It had nothing to do when it last looked. */
  get isIdle(): boolean {
    return !this.#worked;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Joins the group. `advertisedUrl`: where others reach this instance, when it was not known before. */
  async start(advertisedUrl: string | undefined = this.#options.advertisedUrl): Promise<void> {
    const { log } = this.#options;
    const listener = {
      onAssigned: async (partitions: readonly TopicPartition[]) => this.#assign(partitions),
      onRevoked: (partitions: readonly TopicPartition[]) => this.#revoke(partitions),
    };
    const assignor = new TaskAssignor({
      tasks: this.#all,
      advertisedUrl,
      processId: this.#options.processId,
      positions: () => this.#positions(),
      assignment: this.#config,
      onAssignment: (memberId, shared) => {
        this.#learn(clusterOf(shared, memberId));
        folderMember.remember(memberId).catch((error: unknown) => this.#fail(error));
      },
    });
    const folderMember = new FolderMember(this.#environment);
    await folderMember.removeFormer();
    this.#member = await log.joinGroup(this.#environment.group, this.#topics, listener, assignor);
    this.#standbys.start();
    this.#running = this.#loop().catch((error: unknown) => this.#fail(error));
  }

  /** Commits and leaves the group: others go on at once. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    await this.#standbys.stop();
    await this.#purge.idle();
    await this.#member?.[Symbol.asyncDispose]();
    for (const { done } of this.#opening.values()) await done;
  }

  /** As a crash would end it, but for the membership, which a crash leaves to its time-out. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    await this.#standbys.stop();
    await this.#purge.idle();
    for (const opening of this.#opening.values()) opening.cancelled = true;
    for (const { done } of this.#opening.values()) await done;
    for (const task of this.#open.values()) task.discard();
    this.#open.clear();
    await this.#member?.[Symbol.asyncDispose]();
  }

  /** Leaves the group, so that others go on from the last commits. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stopping = true;
    this.#options.onFailure?.(error);
    void this.#standbys.stop();
    void this.#member?.[Symbol.asyncDispose]();
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      await this.#options.background?.();
      this.#worked = this.#options.paused?.() !== true && (await this.#takeTurn(() => this.#step()));
      if (!this.#worked) await sleep(this.#config.pollIntervalMs);
      await this.breathe();
    }
  }

  async #takeTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return await turn;
  }

  /** One batch of the task whose head record is oldest, and the commit when it is due. */
  async #step(): Promise<boolean> {
    let worked = false;
    for (const task of this.#open.values()) {
      if (task.obey(this.#environment.gate)) worked = true;
    }
    await this.#fill();
    const nowMs = this.#environment.nowMs();
    for (const task of this.#open.values()) {
      if (await task.punctuate(nowMs)) worked = true;
    }
    let oldest: DistributedTask | undefined;
    for (const task of this.#open.values()) {
      const headMs = task.task.headTimestamp;
      if (headMs !== undefined && (oldest === undefined || headMs < oldest.task.headTimestamp!)) oldest = task;
    }
    if (oldest !== undefined) {
      await oldest.run();
      worked = true;
    }
    if (worked) this.#uncommittedSince ??= performance.now();
    if (this.#commitDue()) await this.#commit([...this.#open.values()]);
    return worked;
  }

  /** Brings records to inputs that have none, of all tasks at once. */
  async #fill(): Promise<void> {
    const now = performance.now();
    const wakes = now - this.#wokenAt >= this.#config.pollIntervalMs;
    if (wakes) this.#wokenAt = now;
    const limits = { maxRecords: this.#config.maxFetchRecords, maxBytes: this.#config.maxFetchBytes };
    await Promise.all(
      [...this.#open.values()].map(async (task) => {
        try {
          await Promise.all(
            task.task.inputs.map(async (input) => {
              if (wakes) input.wake();
              if (input.buffered === 0) await input.fill(limits);
            }),
          );
        } catch (error) {
          this.#giveUp(task, error);
        }
      }),
    );
  }

  #commitDue(): boolean {
    if (this.#uncommittedSince === undefined) return false;
    if (performance.now() - this.#uncommittedSince >= this.#config.commitIntervalMs) return true;
    let dirtyBytes = 0;
    for (const { task } of this.#open.values()) dirtyBytes += task.dirtyBytes;
    return dirtyBytes >= this.#config.maxDirtyBytes * this.#share();
  }

  async #commit(tasks: readonly DistributedTask[]): Promise<void> {
    this.#uncommittedSince = undefined;
    await Promise.all(
      tasks.map(async (task) => {
        try {
          const changed = await task.commit();
          if (changed.size > 0) this.#publish(changed);
          this.metrics.counter('commits', { task: task.id }).value += 1;
        } catch (error) {
          this.#giveUp(task, error);
        }
      }),
    );
    this.#trim();
    this.#purge.offer(() => [...this.#open.values()].flatMap(({ groupOffsets }) => groupOffsets));
  }

  #notPurged(error: unknown): void {
    if (!isMillraceError(error) || !recoverable.has(error.code)) this.#fail(error);
    else this.metrics.counter('repartition-purges-failed', { code: error.code }).value += 1;
  }

  #publish(changed: ReadonlyMap<StateStore, readonly StoreChange[]>): void {
    const stores = [...changed].map(([{ name, partition }, changes]) => ({ name, partition, changes }));
    this.#options.onCommit?.({ stores });
  }

  #trim(): void {
    const stores = [...this.#open.values()].flatMap(({ task }) => [...task.stores.values()]);
    const cached = stores.reduce((sum, { cachedBytes }) => sum + cachedBytes, 0);
    const bound = this.#config.storeCacheBytes * this.#share();
    if (cached <= bound) return;
    for (const store of stores) store.trim((store.cachedBytes / cached) * bound);
  }

  #share(): number {
    return this.#options.memoryShare?.() ?? 1;
  }

  /** What it did since its last commit is forgotten; it is opened again later, while it is this instance's. */
  #giveUp(task: DistributedTask, error: unknown): void {
    if (!isMillraceError(error) || !recoverable.has(error.code)) throw error;
    this.metrics.counter('tasks-given-up', { task: task.id, code: error.code }).value += 1;
    this.#options.onRecovery?.({ task: task.id, error });
    task.discard();
    this.#open.delete(task.id);
    this.#options.onTasks?.();
    const assigned = this.#assigned.get(task.id);
    if (assigned !== undefined) this.#openLater(task.id, assigned, this.#config.reopenDelayMs);
  }

  /** Partitions that are read, sub-topology by sub-topology, those in front first. */
  #stages(): TopicPartition[][] {
    return subtopologiesInOrder(this.graph).map(({ id }) =>
      [...this.#all.values()]
        .filter(({ subtopology }) => subtopology.id === id)
        .flatMap(({ partitions }) => partitions),
    );
  }

  #positions(): Promise<ReadonlyMap<string, number>> {
    const { state, nowMs, restoring } = this.#environment;
    const isGood = (committedMs: number) => nowMs() - committedMs <= restoring.positionAgeMsMax;
    return taskPositions(state, this.#all, isGood);
  }

  /** What the group has this instance follow, and what is not open here: a task's state has one writer. */
  #followed(): ReadonlyMap<string, AssignedTask> {
    const ids = [...this.#cluster.standbys, ...this.#cluster.warmups].filter(
      (id) => this.#all.has(id) && !this.#assigned.has(id) && !this.#open.has(id) && !this.#opening.has(id),
    );
    return new Map(ids.map((id) => [id, this.#all.get(id)!]));
  }

  #followedOn(): void {
    for (const [task, { lagRecords }] of this.#standbys.tasks()) {
      if (lagRecords !== undefined) this.metrics.gauge('standby-lag-records', { task }).value = lagRecords;
    }
    this.#askForWarmTasks();
  }

  /** A warm-up has caught up: the group shares out anew, and its task comes here. */
  #askForWarmTasks(): void {
    const { acceptableRecoveryLag, rejoinIntervalMs } = this.#config;
    const standbys = this.#standbys.tasks();
    const isWarm = (id: string) => (standbys.get(id)?.lagRecords ?? Infinity) <= acceptableRecoveryLag;
    const now = performance.now();
    if (now - this.#rejoinedAt < rejoinIntervalMs || !this.#cluster.warmups.some(isWarm)) return;
    this.#rejoinedAt = now;
    this.#member?.rejoin();
  }

  #learn(cluster: Cluster): void {
    this.#cluster = cluster;
    this.#options.onOwners?.(this.owners());
  }

  #assign(partitions: readonly TopicPartition[]): void {
    for (const id of tasksOf(this.#all, partitions)) {
      if (this.#assigned.has(id)) continue;
      const assigned = this.#all.get(id)!;
      this.#assigned.set(id, assigned);
      this.#openLater(id, assigned, 0);
    }
  }

  /** Beside the running tasks: a restore may take long. */
  #openLater(id: string, assigned: AssignedTask, delayMs: number): void {
    const stores = storesOf(this.#environment, assigned);
    for (const name of stores.keys()) this.#restores.delete(this.#changelogName(name, assigned.partition));
    const opening: Opening = { stores, cancelled: false, done: Promise.resolve() };
    this.#opening.set(id, opening);
    opening.done = this.#openTask(id, assigned, opening, delayMs).finally(() => {
      if (this.#opening.get(id) === opening) this.#opening.delete(id);
    });
  }

  async #openTask(id: string, assigned: AssignedTask, opening: Opening, delayMs: number): Promise<void> {
    for (let waitMs = delayMs; ; waitMs = this.#config.reopenDelayMs) {
      await this.#standbys.release(id);
      if (waitMs > 0) await sleep(waitMs);
      if (opening.cancelled || this.#stopping) return;
      try {
        await this.#environment.gate?.refresh();
        if (this.#environment.gate?.isOpen === false) return;
        const task = await DistributedTask.open(this.#environment, assigned, {
          cancelled: () => opening.cancelled,
          onProgress: (progress, taken) => this.#restored(progress, taken),
        });
        if (task === undefined) return;
        if (opening.cancelled) task.close();
        else {
          this.#open.set(id, task);
          this.#options.onTasks?.();
        }
        return;
      } catch (error) {
        if (!isMillraceError(error) || !recoverable.has(error.code)) {
          this.#fail(error);
          return;
        }
        this.#options.onRecovery?.({ task: id, error });
      }
    }
  }

  async #revoke(partitions: readonly TopicPartition[]): Promise<void> {
    const ids = tasksOf(this.#assigned, partitions);
    this.#learn(this.#cluster.withoutMine(ids));
    for (const id of ids) {
      this.#assigned.delete(id);
      const opening = this.#opening.get(id);
      if (opening === undefined) continue;
      opening.cancelled = true;
      // Were it to take the id over after the next owner has, it would fence that one.
      await opening.done;
    }
    await this.#takeTurn(async () => {
      const tasks = ids.flatMap((id) => this.#open.get(id) ?? []);
      if (this.#failure === undefined) await this.#commit(tasks).catch((error: unknown) => this.#fail(error));
      for (const task of tasks) {
        if (task.isUncommitted) task.discard();
        else task.close();
        this.#open.delete(task.id);
      }
      this.#options.onTasks?.();
    });
  }

  #restored(progress: RestoreProgress, taken: number): void {
    const { topic, partition, offset, endOffset } = progress;
    this.#restores.set(`${topic}/${partition}`, progress);
    const labels = { topic, partition: String(partition) };
    this.metrics.counter('restored-records', labels).value += taken;
    this.metrics.gauge('restore-lag-records', labels).value = Math.max(0, endOffset - offset);
    this.#options.onRestore?.(progress);
  }

  #changelogName(store: string, partition: number): string {
    return `${changelogTopic(this.#options.applicationId, store)}/${partition}`;
  }

  /** Lets the event loop turn every few milliseconds. */
  breathe(): Promise<void> | undefined {
    const now = performance.now();
    if (now - this.#breathedAt < this.#config.maxBatchMs) return undefined;
    this.#breathedAt = now;
    return new Promise((resolve) => setImmediate(resolve));
  }
}

interface Opening {
  /** To read what the folder has. */
  readonly stores: ReadonlyMap<string, StateStore>;
  cancelled: boolean;
  done: Promise<void>;
}

/** What opening the task again can mend: its id was taken over, or brokers were away. */
const recoverable = new Set<ErrorCode>([
  'PRODUCER_FENCED',
  'MEMBER_FENCED',
  'COMMIT_OUTCOME_UNKNOWN',
  'OUT_OF_ORDER_SEQUENCE',
  'KAFKA_UNREACHABLE',
  'KAFKA_FAILED',
]);

export interface DistributedOptions {
  readonly topology: Topology;
  /** Prefixes internal topics, changelogs and transactional ids, and names the consumer group. */
  readonly applicationId: string;
  /** Another name for the consumer group: of an application that went on elsewhere, with the offsets it had. */
  readonly group?: string;
  /** As `TopicNaming` has it. */
  readonly ownOutputs?: boolean;
  readonly log: Log;
  /** The local database: what it lacks is restored from changelogs, so that it may be empty or another's. */
  readonly engine: Engine;
  readonly commits: GroupCommit;
  /** Partitions of topics that don't exist yet; default 1. */
  readonly topics?: { readonly [topic: string]: number };
  /** Where others reach this instance, e.g. `http://10.0.0.7:8080`: told to all of them. */
  readonly advertisedUrl?: string | undefined;
  /** The same for all runtimes of one process, which dies with all of them (KIP-441); default: this one is alone in its process. */
  readonly processId?: string | undefined;
  /** Default `exactly_once`. `at_least_once` needs no transactions: after a crash records may count more than once. */
  readonly processingGuarantee?: ProcessingGuarantee;
  readonly config?: Partial<DistributedConfig>;
  readonly handlers?: Partial<ExceptionHandlers>;
  readonly deadLetterTopic?: string;
  readonly onCommit?: (commit: { readonly stores: readonly ChangedStore[] }) => void;
  readonly gate?: SourceGate;
  /** Awaited before each turn: this runtime lets another one go first. */
  readonly background?: () => Promise<void> | undefined;
  /** How much of `storeCacheBytes` and `maxDirtyBytes` may be used now, 0 to 1. */
  readonly memoryShare?: () => number;
  /** True: nothing is processed meanwhile, and nothing committed. */
  readonly paused?: () => boolean;
  /** Tasks were opened here, or closed: `runningTasks`. */
  readonly onTasks?: () => void;
  readonly onRestore?: (progress: RestoreProgress) => void;
  /** `owners` has changed. */
  readonly onOwners?: (owners: readonly TaskOwner[]) => void;
  /** A task was given up, and will be opened again. */
  readonly onRecovery?: (recovery: { readonly task: string; readonly error: MillraceError }) => void;
  readonly onFailure?: (error: unknown) => void;
  readonly nowMs?: () => number;
}

export interface StandbyStore {
  readonly taskId: string;
  readonly store: StateStore;
  /** What it lacks of its changelogs, at most; undefined while that is not known. */
  readonly lagRecords: number | undefined;
}

export interface TaskLag extends TopicPartition {
  readonly task: string;
  readonly committedOffset: number;
  readonly endOffset: number;
  readonly lagRecords: number;
}

export interface ChangedStore {
  readonly name: string;
  readonly partition: number;
  readonly changes: readonly StoreChange[];
}

export interface DistributedConfig {
  /** Kafka Streams' `commit.interval.ms` under exactly-once. */
  readonly commitIntervalMs: number;
  /** How often partitions that had nothing are asked again. */
  readonly pollIntervalMs: number;
  /** Until a task that was given up is opened again: longer than it takes to hear that it is another's. */
  readonly reopenDelayMs: number;
  /** How often what was processed of repartition topics is deleted. Default 30 s, as `repartition.purge.interval.ms`. */
  readonly repartitionPurgeIntervalMs: number;
  readonly maxDirtyBytes: number;
  readonly maxBatchRecords: number;
  /** How often the event loop turns between steps of a batch. */
  readonly maxBatchMs: number;
  /** A batch that takes longer makes the next ones smaller: heartbeats wait for it. */
  readonly slowBatchMs: number;
  readonly maxFetchRecords: number;
  readonly maxFetchBytes: number;
  readonly maxRecordBytes: number;
  readonly storeCacheBytes: number;
  readonly recordCacheBytes: number;
  /** Of changelogs: how long a tombstone stays (`delete.retention.ms`). A local store that is older than half of it is useless. */
  readonly deleteRetentionMs: number;
  /** How long the changelog of a window store has windows that have expired (`windowstore.changelog.additional.retention.ms`). */
  readonly windowChangelogAdditionalMs: number;
  /** Instances that follow each task with state, beside the one that runs it (`num.standby.replicas`). */
  readonly standbyReplicas: number;
  /** Records of changelogs that an instance may lack when it is given a task; who lacks more warms up first. */
  readonly acceptableRecoveryLag: number;
  /** Tasks of the group that warm up at a time. */
  readonly maxWarmupReplicas: number;
  readonly standbyPollIntervalMs: number;
  /** An instance that has warmed up asks for its tasks at most so often. */
  readonly rejoinIntervalMs: number;
}

export const defaultDistributedConfig: DistributedConfig = {
  commitIntervalMs: 100,
  pollIntervalMs: 20,
  reopenDelayMs: 3000,
  repartitionPurgeIntervalMs: 30_000,
  maxDirtyBytes: 64 * 1024 * 1024,
  maxBatchRecords: 1000,
  maxBatchMs: 4,
  slowBatchMs: 100,
  maxFetchRecords: 2000,
  maxFetchBytes: 1024 * 1024,
  maxRecordBytes: 1_000_000,
  storeCacheBytes: 256 * 1024 * 1024,
  recordCacheBytes: 0,
  deleteRetentionMs: 24 * 3600 * 1000,
  windowChangelogAdditionalMs: 24 * 3600 * 1000,
  standbyReplicas: 0,
  acceptableRecoveryLag: 10_000,
  maxWarmupReplicas: 2,
  standbyPollIntervalMs: 100,
  rejoinIntervalMs: 1000,
};
