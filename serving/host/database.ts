import { openEmbeddedLog, type EmbeddedLog } from '../../log/index.ts';
import { openEmbeddedRegistry, type SchemaRegistry } from '../../schemas/index.ts';
import { createGroupCommit, openDataFolder, type Engine, type GroupCommit } from '../../state/index.ts';
import type { EmbeddedRuntime } from '../../topology/index.ts';
import { resumeErasure } from './erase-users.ts';
import { errorFields } from './error-fields.ts';
import { EventIndex } from './event-index.ts';
import type { GenerationEntry } from './generations/generation-book.ts';
import { Generations } from './generations/generations.ts';
import { prepareShop } from './generations/shop-runtime.ts';
import { MemoryGovernor } from './memory-governor.ts';
import type { Answers, HostMessage, HostSettings, Request } from './messages.ts';
import { migrations } from './migrations.ts';
import { publishedStores } from './published-stores.ts';
import { Publisher } from './publisher.ts';
import { appendRecords, unpackRecords } from './packed-records.ts';
import type { PeerQuestion } from './peers.ts';
import type { AnswerHere, Query, QueryOf, StoreReader } from './store-reader.ts';

export interface DatabaseHooks {
  send(message: HostMessage, transfer?: ArrayBuffer[]): void;
  /** The topology stands still while this is true. */
  paused(): boolean;
  /** A write has failed; the database says so in `failure`. */
  onFailure(): void;
}

/** Everything over one opening of the data folder: engine, log, topology, and what reads them. */
export class Database {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
  readonly generations: Generations;
  readonly index: EventIndex;
  readonly partitions: number;
  readonly registry: SchemaRegistry;
  /** Set when what is durable is in doubt. */
  failure: { readonly error: unknown } | undefined;
  readonly #governor: MemoryGovernor;
  #cleaning: Disposable | undefined;

  /** Opens the folder; the topology stands where the last commit left it, and has not been started. */
  static async open(settings: HostSettings, hooks: DatabaseHooks): Promise<Database> {
    const holder: { database?: Database; failure?: { readonly error: unknown } } = {};
    const onFailure = (error: unknown): void => {
      holder.failure = { error };
      if (holder.database === undefined) return;
      holder.database.failure = holder.failure;
      hooks.onFailure();
    };
    const engine = await openDataFolder(settings.dataDir, {
      ...settings.database,
      onFailure,
      migrations,
      onMigrated: (migrated) => hooks.send({ kind: 'migrated', migrated }),
    });
    try {
      const publisher = new Publisher(publishedStores, (publication) =>
        hooks.send({ kind: 'publication', publication }, [publication.slice]),
      );
      const commits = createGroupCommit(engine);
      const log = await openEmbeddedLog({ engine, commits, syncWrites: settings.syncWrites });
      const registry = await openEmbeddedRegistry(settings.dataDir);
      const governor = new MemoryGovernor(settings.memoryBytesMax);
      const partitions = await prepareShop(log, settings);
      const opened = { settings, engine, commits, log, registry, partitions, publisher, governor };
      const generations = await Generations.open({
        ...opened,
        paused: () => hooks.paused() || holder.failure !== undefined,
        fail: onFailure,
        onTopologyFailed: (error) => {
          // After a failed write the folder is opened again, and the topology with it.
          if (holder.failure === undefined) hooks.send({ kind: 'topologyFailed', error: errorFields(error) });
        },
      });
      const database = new Database({ ...opened, generations });
      await resumeErasure(database);
      if (settings.runs) database.#cleaning = log.startCleaning(settings.cleaningIntervalMs);
      holder.database = database;
      database.failure = holder.failure;
      return database;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(parts: OpenedParts) {
    this.engine = parts.engine;
    this.commits = parts.commits;
    this.log = parts.log;
    this.generations = parts.generations;
    this.partitions = parts.partitions;
    this.registry = parts.registry;
    this.index = new EventIndex(parts.engine, Date.now);
    this.#governor = parts.governor;
  }

  get generation(): GenerationEntry {
    return this.generations.entry;
  }

  /** Of the active generation. */
  get runtime(): EmbeddedRuntime {
    return this.generations.runtime;
  }

  get reader(): StoreReader {
    return this.generations.reader;
  }

  async start(): Promise<void> {
    await this.generations.start();
  }

  async ask<K extends Query['kind']>(query: QueryOf<K>): Promise<Answers[K]> {
    return (await this.reader.ask<K>(query)).answer;
  }

  /** All tasks run here, so nothing is stale. */
  askStale(query: Query): Promise<AnswerHere> {
    return this.reader.ask(query);
  }

  async produce({ topic, records, eventIds }: Extract<Request, { kind: 'produce' }>): Promise<Answers['produce']> {
    if (eventIds === undefined) {
      return { appended: await appendRecords(this.log, topic, unpackRecords(records)), duplicates: [] };
    }
    const duplicates = await this.index.duplicates(eventIds);
    const fresh = eventIds.filter((_, at) => !duplicates.has(at));
    const append = appendRecords(
      this.log,
      topic,
      unpackRecords(records, (at) => !duplicates.has(at)),
    );
    this.index.track(fresh, append);
    // Submitted behind the append, so never durable before it; usually both share one write.
    const indexed = this.commits.submit((writer) => this.index.stage(writer, fresh));
    const [appended] = await Promise.all([append, indexed]);
    return { appended, duplicates: [...duplicates] };
  }

  /** Nobody else has tasks of this folder. */
  askHere({ query, stale }: PeerQuestion): Promise<AnswerHere> {
    return this.reader.ask(query, stale);
  }

  async settled(): Promise<Answers['settled']> {
    await this.runtime.commitSettled();
    return { group: this.generation.applicationId };
  }

  lag(): Answers['lag'] {
    const committed = new Map(
      this.runtime.committedOffsets.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]),
    );
    return this.runtime.tasks.flatMap((task) =>
      task.inputs.map(({ partition: { topic, partition } }) => {
        const committedOffset = committed.get(`${topic}/${partition}`) ?? 0;
        const endOffset = this.log.endOffset({ topic, partition });
        const lagRecords = endOffset - committedOffset;
        return { task: task.id, topic, partition, committedOffset, endOffset, lagRecords };
      }),
    );
  }

  async caughtUp(): Promise<Answers['caughtUp']> {
    for (;;) {
      await this.generations.settled();
      const { runtime } = this;
      try {
        await runtime.caughtUp();
        return this.reader.sourceOffsets();
      } catch (error) {
        // Another generation may have taken over meanwhile: then that one says when it has caught up.
        if (!this.generations.isHandingOver && runtime === this.runtime) throw error;
      }
    }
  }

  publishAll(): Promise<void> {
    return this.generations.publishAll();
  }

  /** Commits and closes; after a failed write, or when the commit fails, closes only: the log has what was taken. */
  async close(): Promise<void> {
    try {
      if (this.failure === undefined) await this.generations.close();
    } catch (error) {
      if (this.failure === undefined) throw error;
    }
    await this.#closeFolder();
  }

  /** Closes without a commit, as a kill would. */
  async abandon(): Promise<void> {
    await this.generations.abandon();
    await this.#closeFolder();
  }

  async #closeFolder(): Promise<void> {
    this.#cleaning?.[Symbol.dispose]();
    this.#governor[Symbol.dispose]();
    await this.commits.idle();
    await this.log[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
  }
}

interface OpenedParts {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
  readonly registry: SchemaRegistry;
  readonly partitions: number;
  readonly governor: MemoryGovernor;
  readonly generations: Generations;
}
