import { shopParameters, shopTopics } from '../../../processors/index.ts';
import { MillraceError } from '../../../schemas/index.ts';
import { ownTopicName, removeApplication, type EmbeddedRuntime } from '../../../topology/index.ts';
import type { MemoryGovernor } from '../memory-governor.ts';
import type { GenerationFacts, ReplayRequest } from '../messages.ts';
import type { Publisher } from '../publisher.ts';
import { StoreReader } from '../store-reader.ts';
import {
  activeEntry,
  readGenerationBook,
  stageGenerationBook,
  withHandOver,
  withoutGeneration,
  withReplay,
  withReturn,
  type GenerationBook,
  type GenerationEntry,
} from './generation-book.ts';
import { Precedence, Replay, sourcePositions } from './replay.ts';
import { openShopRuntime, type ShopParts } from './shop-runtime.ts';
import { generationFacts } from './generation-facts.ts';
import { isActive, isActiveAlready, noGeneration, replayRunning } from './generation-errors.ts';
import { checkNotTrimmed, partitionsOf, sourcePartitions, startOffsetsOf } from './start-offsets.ts';

/**
 * The generations of a folder's state (docs/architecture/replay.md): the active one, which answers are about, and perhaps one
 * that replays the source topics beside it and takes over when it has caught up.
 *
 *     active    ── batches ─────────────────────── up to X, commit ┐
 *     replaying ── when the active one is idle ─── up to X, commit ┴─ one write: who is active ─ publish whole ─ go on
 */
export class Generations {
  readonly #parts: GenerationsParts;
  #book: GenerationBook;
  #active: ActiveGeneration;
  #replay: Replay | undefined;
  #replaying: Promise<void> | undefined;
  #handingOver: Promise<void> | undefined;
  /** Changes of the book that readers ask for, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #started = false;
  #closed = false;

  /** Stands where the last commits left all of them; nothing has been started. */
  static async open(parts: GenerationsParts): Promise<Generations> {
    const book = await readGenerationBook(parts.engine);
    const generations = new Generations(parts, book);
    const entry = activeEntry(book);
    generations.#active = generations.#made(entry, await generations.#openActive(entry));
    return generations;
  }

  private constructor(parts: GenerationsParts, book: GenerationBook) {
    this.#parts = parts;
    this.#book = book;
    this.#active = undefined as never; // `open` sets it.
  }

  get runtime(): EmbeddedRuntime {
    return this.#active.runtime;
  }

  get reader(): StoreReader {
    return this.#active.reader;
  }

  get entry(): GenerationEntry {
    return activeEntry(this.#book);
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    this.runtime.start();
    const replaying = this.#book.generations.find(({ state }) => state === 'replaying');
    if (replaying !== undefined && this.#parts.settings.replays) await this.#begin(replaying);
  }

  publishAll(): Promise<void> {
    const { publisher, engine } = this.#parts;
    return publisher.publishAll(engine, this.runtime, this.#active.id);
  }

  /** Resolves when no generation is being handed over: then the active one runs. */
  async settled(): Promise<void> {
    while (this.#handingOver !== undefined) await this.#handingOver.catch(() => undefined); // The replay says it.
  }

  get isHandingOver(): boolean {
    return this.#handingOver !== undefined;
  }

  list(): readonly GenerationFacts[] {
    return this.#book.generations.map((entry) => {
      const progress = this.#replay?.entry.id === entry.id ? this.#replay.progress : null;
      return generationFacts(entry, { shownId: this.#active.id, progress });
    });
  }

  /** @throws MillraceError `REPLAY_RUNNING`, `SOURCE_TRIMMED`, `INVALID_ARGUMENT` */
  startReplay({ from, trimmed, parameters: given }: ReplayRequest): Promise<GenerationFacts> {
    return this.#next(async () => {
      this.#mustNotReplay();
      const { log, partitions, commits } = this.#parts;
      const parameters = shopParameters(given, this.entry.parameters);
      const startOffsets = await startOffsetsOf(log, partitions, { from, trimmed });
      const { book, entry } = withReplay(this.#book, { parameters, startOffsets, atMs: Date.now() });
      await commits.submit((writer) => {
        stageGenerationBook(writer, book);
        log.stageOffsets(writer, entry.applicationId, startOffsets);
      });
      this.#book = book;
      try {
        await this.#begin(entry);
      } catch (error) {
        await this.#forget(entry);
        throw error;
      }
      return this.#facts(entry.id);
    });
  }

  /** Brings a kept generation up to date and makes it the active one. @throws `REPLAY_RUNNING`, `SOURCE_TRIMMED`, `NOT_FOUND` */
  activate(id: number): Promise<GenerationFacts> {
    return this.#next(async () => {
      const { state, applicationId } = this.#entry(id);
      if (state === 'active') {
        throw isActiveAlready(id);
      }
      this.#mustNotReplay();
      const { log, commits, partitions } = this.#parts;
      const sources = sourcePartitions(partitions);
      const committed = await log.committedOffsets(applicationId, sources);
      await checkNotTrimmed(
        log,
        sources.map((of, at) => ({ ...of, offset: committed[at] ?? 0 })),
      );
      const book = withReturn(this.#book, id, await this.#endsOf(ownTopicName(applicationId, shopTopics.clean)));
      await commits.submit((writer) => stageGenerationBook(writer, book));
      this.#book = book;
      await this.#begin(this.#entry(id));
      return this.#facts(id);
    });
  }

  /** Forgets a generation for ever; one that replays is given up. @throws `GENERATION_IN_USE`, `NOT_FOUND` */
  prune(id: number): Promise<void> {
    return this.#next(async () => {
      const entry = this.#entry(id);
      if (entry.state === 'active') {
        throw isActive(id);
      }
      if (this.#replay?.entry.id === id) {
        const { runtime } = this.#replay;
        this.#replay = undefined;
        await runtime.abandon();
        await this.#replaying;
      }
      await this.#forget(entry);
    });
  }

  async #forget({ id, applicationId }: GenerationEntry): Promise<void> {
    const book = withoutGeneration(this.#book, id);
    await removeApplication(this.#parts, applicationId, (writer) => stageGenerationBook(writer, book));
    this.#book = book;
  }

  /** While `work` is done there is no other generation. @throws MillraceError `REPLAY_RUNNING`, `GENERATION_IN_USE` */
  alone<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#next(() => {
      this.#mustBeAlone(what);
      return work();
    });
  }

  #mustBeAlone(what: string): void {
    this.#mustNotReplay();
    const others = this.#book.generations.filter(({ state }) => state !== 'active').map(({ id }) => id);
    if (others.length === 0) return;
    throw new MillraceError(
      'GENERATION_IN_USE',
      `${what} wants the active generation alone, found ${others.join(', ')} kept: prune what is not gone back to.`,
      { kept: others.join(', ') },
    );
  }

  async close(): Promise<void> {
    await this.#end((runtime) => runtime.stop());
  }

  async abandon(): Promise<void> {
    await this.#end((runtime) => runtime.abandon());
  }

  async #end(end: (runtime: EmbeddedRuntime) => Promise<void>): Promise<void> {
    this.#closed = true;
    const { runtime } = this;
    const replay = this.#replay;
    // Who hands over has ended both already, or hears of it here.
    await Promise.all([end(runtime), replay === undefined ? undefined : end(replay.runtime)]);
    await this.#replaying;
    if (this.runtime !== runtime) await end(this.runtime);
  }

  #next<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.settled()).then(change);
    this.#turn = done.catch(() => undefined); // Who asked hears of it.
    return done;
  }

  async #begin(entry: GenerationEntry): Promise<void> {
    const replay = new Replay(entry, await this.#openReplaying(entry), this.#parts.log);
    this.#replay = replay;
    this.#replaying = this.#run(replay).catch((error: unknown) => {
      replay.isHandingOver = false;
      if (this.#replay === replay) replay.fail(error);
    });
  }

  async #run(replay: Replay): Promise<void> {
    await replay.caughtUp();
    await this.runtime.caughtUp();
    if (this.#closed || this.#replay !== replay) return;
    replay.isHandingOver = true;
    this.#handingOver = this.#handOver(replay);
    try {
      await this.#handingOver;
    } finally {
      this.#handingOver = undefined;
    }
  }

  async #handOver(replay: Replay): Promise<void> {
    const { log, commits } = this.#parts;
    const offsets = sourcePositions(this.runtime).map((of) => ({ ...of, offset: log.committedEnd(of) }));
    const [active, next] = await Promise.allSettled([this.runtime.finishAt(offsets), replay.runtime.finishAt(offsets)]);
    if (next.status === 'rejected') {
      if (active.status === 'fulfilled' && !this.#closed) await this.#show(this.entry);
      throw next.reason;
    }
    if (active.status === 'rejected') throw active.reason;

    const { id: to, applicationId } = replay.entry;
    const publicEnds = await this.#endsOf(shopTopics.clean);
    const ownEnds = await this.#endsOf(ownTopicName(applicationId, shopTopics.clean));
    const book = withHandOver(this.#book, { to, atMs: Date.now(), offsets, ownEnds, publicEnds });
    await commits.submit((writer) => {
      stageGenerationBook(writer, book);
      log.stageOffsets(
        writer,
        applicationId,
        publicEnds.map((offset, partition) => ({ topic: shopTopics.clean, partition, offset })),
      );
    });
    this.#book = book;
    await this.#show(this.entry);
    this.#replay = undefined;
  }

  /** Opens the generation that is active by the book; look-ups and queries are about it from its publication on. */
  async #show(entry: GenerationEntry): Promise<void> {
    try {
      const runtime = await this.#openActive(entry);
      const { publisher, engine } = this.#parts;
      await publisher.publishAll(engine, runtime, entry.id);
      // Nobody has asked anything since the publication was sent: what is asked behind it is answered behind it.
      this.#active = this.#made(entry, runtime);
      if (!this.#closed) runtime.start();
    } catch (error) {
      this.#parts.fail(error);
      throw error;
    }
  }

  #made({ id }: GenerationEntry, runtime: EmbeddedRuntime): ActiveGeneration {
    return { id, runtime, reader: new StoreReader(this.#parts.engine, runtime) };
  }

  #openActive(entry: GenerationEntry): Promise<EmbeddedRuntime> {
    const { publisher, paused, onTopologyFailed } = this.#parts;
    return openShopRuntime(this.#parts, entry, {
      memory: this.#memory(),
      paused,
      onFailure: onTopologyFailed,
      onCommit: (commit) => publisher.publish(commit, entry.id),
    });
  }

  #openReplaying(entry: GenerationEntry): Promise<EmbeddedRuntime> {
    const precedence = new Precedence(() => this.runtime);
    return openShopRuntime(this.#parts, entry, {
      memory: this.#memory(),
      paused: this.#parts.paused,
      onFailure: () => undefined, // Who waits for it to catch up hears of it.
      background: () => precedence.wait(),
    });
  }

  /** Two that run share what one has. */
  #memory() {
    const { governor } = this.#parts;
    const isShared = (): boolean => this.#replay !== undefined;
    return {
      share: () => governor.share() * (isShared() ? 0.5 : 1),
      get isTight() {
        return governor.isTight;
      },
    };
  }

  async #endsOf(topic: string): Promise<readonly number[]> {
    const { log, partitions } = this.#parts;
    const exists = (await log.topics()).some(({ name }) => name === topic);
    return partitionsOf(topic, partitions).map((of) => (exists ? log.committedEnd(of) : 0));
  }

  #mustNotReplay(): void {
    if (this.#replay === undefined) return;
    throw replayRunning(this.#replay.entry.id, this.#replay.progress);
  }

  #facts(id: number): GenerationFacts {
    const facts = this.list().find((generation) => generation.id === id);
    if (facts === undefined) throw noGeneration(id);
    return facts;
  }

  #entry(id: number): GenerationEntry {
    this.#facts(id);
    return this.#book.generations.find((entry) => entry.id === id)!;
  }
}

export interface GenerationsParts extends ShopParts {
  readonly publisher: Publisher;
  readonly governor: MemoryGovernor;
  readonly paused: () => boolean;
  /** The active generation has stopped. */
  readonly onTopologyFailed: (error: unknown) => void;
  /** What is open is not what the folder says: open it again. */
  readonly fail: (error: unknown) => void;
}

interface ActiveGeneration {
  readonly id: number;
  readonly runtime: EmbeddedRuntime;
  readonly reader: StoreReader;
}
