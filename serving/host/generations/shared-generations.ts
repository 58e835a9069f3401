import { randomUUID } from 'node:crypto';
import { shopParameters, shopTopics } from '../../../processors/index.ts';
import { isMillraceError, type ErrorCode } from '../../../schemas/index.ts';
import { ownTopicName, removeApplicationState } from '../../../topology/index.ts';
import { errorFields } from '../error-fields.ts';
import type { ErrorFields, GenerationFacts, ReplayProgress, ReplayRequest } from '../messages.ts';
import { peerGroup } from '../peers.ts';
import {
  activeEntry,
  withHandOver,
  withoutGeneration,
  withReplay,
  withReturn,
  type GenerationBook,
  type GenerationEntry,
} from './generation-book.ts';
import { generationFacts } from './generation-facts.ts';
import { isActive, isActiveAlready, noGeneration, replayRunning } from './generation-errors.ts';
import { ProgressMeter, recordsSince, type Processed } from './progress-meter.ts';
import { nearRecords, Precedence } from './replay.ts';
import { SharedBook } from './shared-book.ts';
import { groupOf, holdOf, nextPhaseOffsets, SharedRun, type RunHooks, type SharedParts } from './shared-run.ts';
import { checkNotTrimmed, partitionsOf, sourcePartitions, startOffsetsOf } from './start-offsets.ts';

/**
 * The generations of a shop that instances share (docs/architecture/replay.md). What they are is in the book; every instance looks at it
 * twice a second, takes part in what runs, and does the next step of a hand-over when it finds that its time has come, whoever is first.
 *
 *     active    ── batches ──── sources held: X ── rest drained ── outputs held ┐
 *     replaying ── no further than that one ─────────────────────── up to X ────┴─ one transaction: who is active, offsets of its next phase
 *                                                                                    └─ its tasks are opened again, all answer, then it is shown
 */
export class SharedGenerations {
  readonly #parts: SharedGenerationsParts;
  readonly #book: SharedBook;
  /** Whose answers are given. */
  #shown: SharedRun;
  /** It is active by the book, and not shown yet. */
  #next: { readonly run: SharedRun; readonly sinceMs: number } | undefined;
  #replay: SharedReplay | undefined;
  /** Shown before: held where the shown one began, it answers those who have not come so far. */
  #left: { readonly run: SharedRun; readonly untilMs: number } | undefined;
  /** No state is left of what is not in it. */
  #tidied: GenerationBook | undefined;
  readonly #meters = new Map<number, ProgressMeter>();
  #url: string | undefined;
  #wake: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  static async open(parts: SharedGenerationsParts): Promise<SharedGenerations> {
    const { log, settings } = parts;
    const book = await SharedBook.open(log, settings.kafka.applicationId);
    const generations = new SharedGenerations(parts, book);
    generations.#shown = await generations.#openActive(activeEntry(book.book));
    return generations;
  }

  private constructor(parts: SharedGenerationsParts, book: SharedBook) {
    this.#parts = parts;
    this.#book = book;
    this.#shown = undefined as never; // `open` sets it.
  }

  get shown(): SharedRun {
    return this.#shown;
  }

  /** Every run that is open here can be asked by those who know its group. */
  run(group: string): SharedRun | undefined {
    const open = [this.#shown, this.#next?.run, this.#left?.run];
    return open.find((run) => run?.group === group);
  }

  /** Joins the groups; `url` is where other instances reach this one. */
  async start(url: string | undefined): Promise<void> {
    this.#url = url;
    await this.#shown.runtime.start(url);
    this.#looking = this.#lookOn();
  }

  async list(): Promise<readonly GenerationFacts[]> {
    await this.#book.refresh();
    return await Promise.all(this.#book.book.generations.map((entry) => this.#facts(entry)));
  }

  async #facts(entry: GenerationEntry): Promise<GenerationFacts> {
    const progress = entry.state === 'replaying' ? await this.#progress(entry) : null;
    return generationFacts(entry, { shownId: this.#shown.entry.id, progress });
  }

  /** @throws MillraceError `REPLAY_RUNNING`, `SOURCE_TRIMMED`, `INVALID_ARGUMENT` */
  async startReplay({ from, trimmed, parameters: given }: ReplayRequest): Promise<GenerationFacts> {
    const { log, partitions, settings } = this.#parts;
    const made: { entry?: GenerationEntry } = {};
    await this.#book.change(async (book) => {
      await this.#mustNotReplay(book);
      const parameters = shopParameters(given, activeEntry(book).parameters);
      const startOffsets = await startOffsetsOf(log, partitions, { from, trimmed });
      const shopId = settings.kafka.applicationId;
      const replay = withReplay(book, { parameters, startOffsets, atMs: Date.now(), shopId });
      made.entry = replay.entry;
      return { book: replay.book, offsets: new Map([[groupOf(replay.entry), startOffsets]]) };
    });
    return await this.#factsOf(made.entry!.id);
  }

  /** Brings a kept generation up to date and makes it the active one. @throws `REPLAY_RUNNING`, `SOURCE_TRIMMED`, `NOT_FOUND` */
  async activate(id: number): Promise<GenerationFacts> {
    const { log, partitions } = this.#parts;
    await this.#book.change(async (book) => {
      const entry = entryOf(book, id);
      if (entry.state === 'active') throw isActiveAlready(id);
      await this.#mustNotReplay(book);
      const sources = sourcePartitions(partitions);
      const committed = await log.committedOffsets(groupOf(entry), sources);
      await checkNotTrimmed(
        log,
        sources.map((of, at) => ({ ...of, offset: committed[at] ?? 0 })),
      );
      const ownEnds = await this.#endsOf(ownTopicName(entry.applicationId, shopTopics.clean));
      const next = inNextPhase(withReturn(book, id, ownEnds), id);
      const offsets = await nextPhaseOffsets(this.#parts, entry, { ownOutputs: true });
      return { book: next, offsets: new Map([[groupOf(entryOf(next, id)), offsets]]) };
    });
    return await this.#factsOf(id);
  }

  /** Forgets a generation for ever; one that replays is given up. @throws `GENERATION_IN_USE`, `NOT_FOUND` */
  async prune(id: number): Promise<void> {
    const pruned: { applicationId?: string } = {};
    await this.#book.change((book) => {
      const { state, applicationId } = entryOf(book, id);
      if (state === 'active' || id === this.#shown.entry.id) throw isActive(id);
      pruned.applicationId = applicationId;
      const { handOver, ...left } = withoutGeneration(book, id);
      return { book: handOver === undefined || handOver.to === id ? left : { ...left, handOver } };
    });
    const { log } = this.#parts;
    const own = (await log.topics())
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${pruned.applicationId}-`));
    await log.deleteTopics(own);
  }

  async close(): Promise<void> {
    await this.#end((run) => run.runtime.stop());
  }

  async abandon(): Promise<void> {
    await this.#end((run) => run.runtime.abandon());
  }

  async #end(end: (run: SharedRun) => Promise<void>): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#looking;
    for (const run of [this.#shown, this.#next?.run, this.#left?.run, this.#replay?.run])
      if (run !== undefined) await end(run);
  }

  /** What goes wrong is said once, until a look succeeds. */
  async #lookOn(): Promise<void> {
    const told = new Set<string>();
    for (; !this.#closed; await this.#pause()) {
      try {
        await this.#look();
        told.clear();
      } catch (error) {
        const { code, message } = errorFields(error);
        if (told.has(code)) continue;
        told.add(code);
        if (!isMillraceError(error) || !passing.has(error.code)) this.#parts.onTopologyFailed(error);
        else this.#parts.tell(`Looking after the generations: ${message}`);
      }
    }
  }

  async #pause(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#parts.lookEveryMs ?? lookEveryMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One look at the book, and what follows from it here. */
  async #look(): Promise<void> {
    await this.#book.refresh();
    const { book } = this.#book;
    const active = activeEntry(book);
    if (!this.#shown.isOf(active)) await this.#showNext(active);
    if (this.#left !== undefined) await this.#leave(this.#left);
    await this.#takePart(book.generations.find(({ state }) => state === 'replaying'));
    if (book !== this.#tidied) await this.#forgetPruned(book);
    if (this.#replay !== undefined) await this.#advance(this.#replay);
  }

  /** Opens what has become active, beside what is shown; when all its tasks answer, that is shown. */
  async #showNext(active: GenerationEntry): Promise<void> {
    if (this.#replay !== undefined) {
      const { run } = this.#replay;
      this.#replay = undefined;
      await run.runtime.stop();
    }
    if (this.#next !== undefined && !this.#next.run.isOf(active)) {
      await this.#next.run.runtime.stop();
      this.#next = undefined;
    }
    if (this.#next === undefined) {
      this.#next = { run: await this.#openActive(active), sinceMs: Date.now() };
      await this.#next.run.runtime.start(this.#url);
    }
    const { run: next, sinceMs } = this.#next;
    // Whoever comes later would take tasks over, which nobody answers for meanwhile.
    const areMissing = next.runtime.members.length < this.#shown.runtime.members.length;
    if (areMissing && Date.now() - sinceMs < gatherMsMax) return;
    await this.#parts.show(next, () => {
      if (this.#left !== undefined) void this.#left.run.runtime.stop();
      this.#left = { run: this.#shown, untilMs: Date.now() + leaveAfterMs };
      this.#shown = next;
      this.#next = undefined;
    });
  }

  /** What was shown ends when nobody asks it any more. */
  async #leave({ run, untilMs }: { readonly run: SharedRun; readonly untilMs: number }): Promise<void> {
    const groups = await Promise.all(run.peers.map((url) => peerGroup(url).catch(() => undefined)));
    if (groups.includes(run.group) && Date.now() < untilMs) return;
    this.#left = undefined;
    await run.runtime.stop();
  }

  /** In the replay of the book, or in none. */
  async #takePart(entry: GenerationEntry | undefined): Promise<void> {
    const replay = this.#replay;
    if (replay !== undefined && !replay.run.isOf(entry)) {
      this.#replay = undefined;
      await replay.run.runtime.abandon();
    }
    if (entry === undefined || !this.#parts.settings.replays) return;
    if (this.#replay !== undefined) {
      await this.#replay.run.refresh();
      return;
    }
    if (this.#left?.run.entry.id === entry.id) {
      const { run } = this.#left;
      this.#left = undefined;
      await run.runtime.stop(); // Its state is written by another run from now on.
    }
    const precedence = new Precedence(() => this.#shown.runtime);
    const opened: { replay?: SharedReplay } = {};
    const run = await SharedRun.open(this.#parts, this.#book, entry, {
      ...this.#hooks(),
      background: () => precedence.wait(),
      onFailure: (error) => {
        if (opened.replay !== undefined) opened.replay.failure ??= errorFields(error);
      },
    });
    opened.replay = { run, failure: undefined };
    this.#replay = opened.replay;
    await run.runtime.start(this.#url);
  }

  /** State of generations that are in no book any more. */
  async #forgetPruned(book: GenerationBook): Promise<void> {
    const { engine, commits } = this.#parts;
    const known = new Set(book.generations.map(({ applicationId }) => applicationId));
    const left = this.#left?.run.entry.applicationId;
    await removeApplicationState({ engine, commits }, (id) => !known.has(id) && id !== left);
    if (this.#left === undefined) this.#tidied = book;
  }

  /** The next step of a hand-over, when it is due. */
  async #advance({ run, failure }: SharedReplay): Promise<void> {
    const { book } = this.#book;
    const { id } = run.entry;
    if (failure !== undefined) return;
    if (book.handOver === undefined) {
      if ((await this.#behind(run.entry, activeEntry(book))) > nearRecords) return;
      await this.#book.change((now) =>
        now.handOver === undefined && run.isOf(now.generations.find((entry) => entry.id === id))
          ? { book: { ...now, handOver: { id: randomUUID(), to: id } } }
          : undefined,
      );
      return;
    }
    const { handOver } = book;
    const hold = holdOf(handOver, this.#book.marks);
    const held = this.#book.heldFor(hold.id);
    if (!this.#shown.runtime.tasksReading(hold.topics).every((task) => held.has(task))) return;
    if (handOver.sources === undefined) {
      const sources = [...held.values()].flat();
      if (!(await this.#shown.runtime.hasReached(sources))) return;
      await this.#book.change((now) =>
        now.handOver?.id === handOver.id ? { book: { ...now, handOver: { ...handOver, sources } } } : undefined,
      );
      return;
    }
    const offsets = handOver.sources;
    if (!(await run.runtime.hasReached(offsets))) return;
    await this.#book.change(async (now) => {
      if (now.handOver?.id !== handOver.id) return undefined;
      const { applicationId } = run.entry;
      const publicEnds = await this.#endsOf(shopTopics.clean);
      const ownEnds = await this.#endsOf(ownTopicName(applicationId, shopTopics.clean));
      const { handOver: _, ...handed } = withHandOver(now, { to: id, atMs: Date.now(), offsets, ownEnds, publicEnds });
      const next = inNextPhase(handed, id);
      const phaseOffsets = await nextPhaseOffsets(this.#parts, entryOf(now, id), { ownOutputs: false });
      return { book: next, offsets: new Map([[groupOf(entryOf(next, id)), phaseOffsets]]) };
    });
  }

  #openActive(entry: GenerationEntry): Promise<SharedRun> {
    const holder: { run?: SharedRun } = {};
    return SharedRun.open(this.#parts, this.#book, entry, {
      ...this.#hooks(),
      onCommit: ({ stores }) => holder.run && this.#parts.onCommit(holder.run, stores),
      onTasks: () => holder.run && this.#parts.onTasks(holder.run),
      onFailure: (error) => this.#parts.onTopologyFailed(error),
    }).then((run) => (holder.run = run));
  }

  #hooks(): RunHooks {
    const { paused, onRestore, onRecovery } = this.#parts;
    // Two that run share what one has.
    const memoryShare = (): number => (this.#replay === undefined ? 1 : 0.5);
    return { paused, memoryShare, ...(onRestore && { onRestore }), ...(onRecovery && { onRecovery }) };
  }

  async #progress(entry: GenerationEntry): Promise<ReplayProgress> {
    const { handOver } = this.#book.book;
    const isHandingOver = handOver?.to === entry.id;
    const meter = this.#meters.get(entry.id) ?? new ProgressMeter();
    this.#meters.set(entry.id, meter);
    const error = this.#replay?.run.isOf(entry) === true ? (this.#replay.failure ?? null) : null;
    return meter.read(await this.#processed(entry), { isHandingOver, error });
  }

  /** By all instances together: what its group has committed. */
  async #processed(entry: GenerationEntry): Promise<Processed> {
    const { log, partitions } = this.#parts;
    const sources = sourcePartitions(partitions);
    const committed = await log.committedOffsets(groupOf(entry), sources);
    const ends = await Promise.all(sources.map((of) => log.listOffsets(of, 'latest')));
    return recordsSince(
      entry.startOffsets,
      sources.map((of, at) => ({ ...of, offset: committed[at] ?? 0, end: ends[at]! })),
    );
  }

  /** How many records a generation lacks of what another has committed. */
  async #behind(entry: GenerationEntry, other: GenerationEntry): Promise<number> {
    const { log, partitions } = this.#parts;
    const sources = sourcePartitions(partitions);
    const [here, there] = await Promise.all([entry, other].map((each) => log.committedOffsets(groupOf(each), sources)));
    return sources.reduce((sum, _, at) => sum + Math.max(0, (there![at] ?? 0) - (here![at] ?? 0)), 0);
  }

  async #endsOf(topic: string): Promise<readonly number[]> {
    const { log, partitions } = this.#parts;
    const exists = (await log.topics()).some(({ name }) => name === topic);
    const of = partitionsOf(topic, partitions);
    if (!exists) return of.map(() => 0);
    return await Promise.all(of.map((each) => log.listOffsets(each, 'latest')));
  }

  async #mustNotReplay(book: GenerationBook): Promise<void> {
    const replaying = book.generations.find(({ state }) => state === 'replaying');
    if (replaying !== undefined) throw replayRunning(replaying.id, await this.#progress(replaying));
  }

  #factsOf(id: number): Promise<GenerationFacts> {
    return this.#facts(entryOf(this.#book.book, id));
  }
}

export interface SharedGenerationsParts extends SharedParts {
  readonly paused: () => boolean;
  readonly onCommit: (run: SharedRun, stores: Parameters<NonNullable<RunHooks['onCommit']>>[0]['stores']) => void;
  readonly onTasks: (run: SharedRun) => void;
  readonly onRestore?: RunHooks['onRestore'];
  readonly onRecovery?: RunHooks['onRecovery'];
  readonly onTopologyFailed: (error: unknown) => void;
  /** Has look-ups answered by a run, from the moment when `shown` is called on. @throws MillraceError `REBALANCING` */
  readonly show: (run: SharedRun, shown: () => void) => Promise<void>;
  /** How often an instance looks at the book. Default 500. */
  readonly lookEveryMs?: number;
  /** For the operator's eyes. */
  readonly tell: (text: string) => void;
}

interface SharedReplay {
  readonly run: SharedRun;
  failure: ErrorFields | undefined;
}

function entryOf(book: GenerationBook, id: number): GenerationEntry {
  const entry = book.generations.find((each) => each.id === id);
  if (entry === undefined) throw noGeneration(id);
  return entry;
}

function inNextPhase(book: GenerationBook, id: number): GenerationBook {
  const { phase = 0 } = entryOf(book, id);
  return {
    ...book,
    generations: book.generations.map((entry) => (entry.id === id ? { ...entry, phase: phase + 1 } : entry)),
  };
}

const lookEveryMs = 500;
/** Instances that open what has become active later than that are busy, or gone. */
const gatherMsMax = 20_000;
/** Those who still show what was left then have an old view for longer than a hand-over takes, or are gone. */
const leaveAfterMs = 30_000;
/** Brokers or other instances that are away for a while. */
const passing = new Set<ErrorCode>(['REBALANCING', 'KAFKA_UNREACHABLE', 'KAFKA_FAILED']);
