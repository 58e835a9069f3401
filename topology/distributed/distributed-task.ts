import type { ConsumedOffset } from '../../log/index.ts';
import type { BatchWriter, StateStore, StoreChange } from '../../state/index.ts';
import type { InputPartition } from '../runtime/input-partition.ts';
import { openTask, taskId, type TaskInput } from '../runtime/open-task.ts';
import { startOffset } from '../runtime/prepare-topics.ts';
import type { Task } from '../runtime/task.ts';
import { faults } from '../runtime/faults.ts';
import { BatchSize } from './batch-size.ts';
import { changelogRecord, type Changelog } from './changelog.ts';
import { restore, type Restoring } from './changelog-reader.ts';
import type { AssignedTask, DistributedEnvironment } from './environment.ts';
import { Outputs } from './outputs.ts';
import { holdKey, type SourceGate, type SourceHold } from './source-gate.ts';
import { atLeastOnce, exactlyOnce, type Part, type TaskCommitter } from './task-committer.ts';
import { changelogsOf, storesOf, type TaskChangelogs } from './task-state.ts';

/**
 * A task on a log that it shares with other instances. Its commit is a transaction, and then a write:
 *
 *     begin ─> outputs, changes of stores, clocks, consumed offsets ─> commit ─> the same changes, with the changelogs' offsets,
 *                                                                                in one batch of the local database
 *
 * Under at-least-once (task-committer.ts) offsets are committed last, after the write.
 *
 * So local state is never ahead of the log. When the process dies in between, or the outcome of the commit is not known, the
 * changelogs' tail brings the local state there (changelog.ts). One transactional id a task fences an owner that lost it.
 */
export class DistributedTask {
  readonly id: string;
  readonly task: Task;
  readonly #environment: DistributedEnvironment;
  readonly #committer: TaskCommitter;
  readonly #batch: BatchSize;
  readonly #outputs: Outputs;
  readonly #changelogs: ReadonlyMap<string, Changelog>;
  readonly #taskChangelog: Changelog;
  /** Of the changelogs, by topic. */
  readonly #topicIds: ReadonlyMap<string, string>;
  #hold: SourceHold | undefined;
  /** Where its inputs are held has not been told. */
  #holdIsNew = false;
  /** Something has happened that its commit would make durable. */
  #uncommitted = false;
  #committed: readonly ConsumedOffset[];
  #writing: Promise<void> | undefined;
  #committing: Promise<unknown> | undefined;

  /** Takes the task over: fences its earlier owner, restores, reads offsets. In this order, see design: reading waits for fencing. */
  static async open(
    environment: DistributedEnvironment,
    assigned: AssignedTask,
    opening: Restoring,
  ): Promise<DistributedTask | undefined> {
    const { group, log, state, counts, gate } = environment;
    const { subtopology, partition, sources } = assigned;
    const id = taskId(assigned);
    const committer = await openCommitter(environment, id);

    const changelogs = changelogsOf(environment, assigned);
    const topicIds = new Map<string, string>();
    for (const changelog of [...changelogs.stores.values(), changelogs.clocks]) {
      topicIds.set(changelog.of.topic, await restore(changelog, environment.restoring, opening));
      if (opening.cancelled()) return undefined;
    }

    const inputs: TaskInput[] = [];
    for (const { topic, source } of sources) {
      if (partition >= counts.get(topic)!) continue;
      const of = { topic, partition };
      inputs.push({ of, source, offset: await startOffset(log, group, of) });
    }
    const stores = storesOf(environment, assigned);
    const topics = new Outputs(counts, environment.maxRecordBytes);
    const saved = await state.task(id);
    await gate?.refresh();
    if (gate?.isOpen === false) return undefined;
    const task = openTask(environment, { subtopology, partition, stores, inputs, topics, saved });
    const opened = new DistributedTask(environment, task, { committer, topics, changelogs, topicIds });
    opened.obey(gate);
    return opened;
  }

  private constructor(
    environment: DistributedEnvironment,
    task: Task,
    parts: {
      readonly committer: TaskCommitter;
      readonly topics: Outputs;
      readonly changelogs: TaskChangelogs;
      readonly topicIds: ReadonlyMap<string, string>;
    },
  ) {
    this.id = task.id;
    this.task = task;
    this.#environment = environment;
    this.#batch = new BatchSize(environment.maxBatchRecords, environment.slowBatchMs);
    this.#committer = parts.committer;
    this.#outputs = parts.topics;
    this.#changelogs = parts.changelogs.stores;
    this.#taskChangelog = parts.changelogs.clocks;
    this.#topicIds = parts.topicIds;
    this.#committed = this.#positions();
  }

  /** What the local state follows from, by partition of the sources. */
  get committedOffsets(): readonly ConsumedOffset[] {
    return this.#uncommitted ? this.#committed : this.#positions();
  }

  /** What the group has, from this task's last commit: `committedOffsets` may be ahead, over what is no record. */
  get groupOffsets(): readonly ConsumedOffset[] {
    return this.#committed;
  }

  /** Resolves when no commit is being written: then the database and `committedOffsets` agree. */
  async commitSettled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Resolves when no commit is under way: then what the log has of this task's is in the database too. */
  async commitEnded(): Promise<void> {
    while (this.#committing !== undefined) await this.#committing.catch(() => undefined); // Whoever commits hears of it.
  }

  /** Reads as far as the gate lets it; true when there is something to tell by a commit. */
  obey(gate: SourceGate | undefined): boolean {
    if (gate?.isOpen !== true) return false;
    if (gate.hold?.id !== this.#hold?.id) this.#setHold(gate.hold);
    for (const input of this.task.inputs) {
      const end = this.#isHeld(input) ? undefined : gate.endOf(input.partition);
      if (end !== undefined) input.endAt(Math.max(end, input.position));
    }
    return this.#holdIsNew;
  }

  #setHold(hold: SourceHold | undefined): void {
    const before = this.task.inputs.filter((input) => this.#isHeld(input));
    this.#hold = hold;
    for (const input of before) input.endAt(Infinity);
    const held = this.task.inputs.filter((input) => this.#isHeld(input));
    for (const input of held) input.hold();
    this.#holdIsNew = held.length > 0;
    if (this.#holdIsNew) this.#uncommitted = true;
  }

  #isHeld({ partition }: InputPartition): boolean {
    return this.#hold?.topics.has(partition.topic) === true;
  }

  get isUncommitted(): boolean {
    return this.#uncommitted;
  }

  /** A batch. */
  async run(): Promise<void> {
    this.#uncommitted = true;
    const begun = performance.now();
    const records = await this.task.run(this.#batch.records);
    this.#batch.took(records, performance.now() - begun);
  }

  async punctuate(nowMs: number): Promise<boolean> {
    const any = await this.task.punctuate(nowMs);
    if (any) this.#uncommitted = true;
    return any;
  }

  /** @throws MillraceError what `LogTransaction.commit` throws; then the task has to be given up, and opened again */
  async commit(): Promise<ReadonlyMap<StateStore, readonly StoreChange[]>> {
    const committing = this.#commit();
    this.#committing = committing;
    try {
      return await committing;
    } finally {
      this.#committing = undefined;
    }
  }

  async #commit(): Promise<ReadonlyMap<StateStore, readonly StoreChange[]>> {
    const changed = new Map<StateStore, readonly StoreChange[]>();
    while (this.task.hasPendingFlush) await this.task.flush();
    if (!this.#uncommitted) return changed;
    const { commits, state, nowMs } = this.#environment;
    const committedMs = nowMs();
    const clocks = Buffer.from(JSON.stringify(this.task.state()));

    const parts = [...this.#outputs.parts()];
    for (const store of this.task.stores.values()) {
      store.stageChanges(nowhere);
      const changes = [...store.changes()];
      changed.set(store, changes);
      const { of } = this.#changelogs.get(store.name)!;
      const records = changes.map((change) => changelogRecord(change, committedMs));
      if (records.length > 0) parts.push({ partition: of, records });
    }
    const { of } = this.#taskChangelog;
    parts.push({ partition: of, records: [{ key: Buffer.from(this.id), value: clocks, timestamp: committedMs }] });
    if (this.#hold !== undefined && this.#holdIsNew) parts.push(this.#holdMark(this.#hold, committedMs));
    const consumed = this.#positions();
    faults.reached?.('before-commit');
    const ends = await this.#committer.send(parts, consumed);
    faults.reached?.('after-transaction');

    this.#writing = commits.submit((writer) => {
      for (const store of this.task.stores.values()) store.stageChanges(writer);
      state.stageTask(writer, this.id, clocks);
      for (const changelog of [...this.#changelogs.values(), this.#taskChangelog]) {
        const end = ends.find((each) => each.topic === changelog.of.topic && each.partition === changelog.of.partition);
        if (end === undefined) continue; // Nothing was sent to it, or the broker knew no more where: the tail is longer.
        const topicId = this.#topicIds.get(changelog.of.topic)!;
        state.stageChangelogPosition(writer, changelog.name, { offset: end.offset, committedMs, topicId });
      }
    });
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
    faults.reached?.('after-write');
    await this.#committer.finish(consumed);
    for (const store of this.task.stores.values()) store.committed();
    this.#outputs.clear();
    this.#uncommitted = false;
    this.#holdIsNew = false;
    this.#committed = consumed;
    faults.reached?.('after-commit');
    return changed;
  }

  #holdMark({ id, marks }: SourceHold, timestamp: number): Part {
    const held = this.task.inputs.filter((input) => this.#isHeld(input));
    const offsets = held.map(({ partition, position }): ConsumedOffset => ({
      ...partition,
      offset: position,
    }));
    const value = Buffer.from(JSON.stringify(offsets));
    return { partition: marks, records: [{ key: Buffer.from(holdKey(id, this.id)), value, timestamp }] };
  }

  #positions(): ConsumedOffset[] {
    return this.task.inputs.map(({ partition, position }) => ({ ...partition, offset: position }));
  }

  /** Forgets everything since the last commit. */
  discard(): void {
    for (const store of this.task.stores.values()) store.discard();
    this.#outputs.clear();
    this.#uncommitted = false;
    this.task.close();
  }

  close(): void {
    this.task.close();
  }
}

async function openCommitter(environment: DistributedEnvironment, taskId: string): Promise<TaskCommitter> {
  const { log, applicationId, group, processingGuarantee, commitOffsets } = environment;
  if (processingGuarantee === 'at_least_once') return atLeastOnce(log, commitOffsets);
  return exactlyOnce(await log.openProducer(`${applicationId}-${taskId}`), group);
}

/** Staging encodes what has changed; the write comes after the transaction. */
const nowhere: BatchWriter = { put: () => undefined, delete: () => undefined, deleteRange: () => undefined };
