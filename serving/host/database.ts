import { openEmbeddedLog, type EmbeddedLog } from '../../log/index.ts';
import { shopTopics, shopTopology } from '../../processors/index.ts';
import { MillraceError, openEmbeddedRegistry, type SchemaRegistry } from '../../schemas/index.ts';
import { createGroupCommit, openDataFolder, type Engine, type GroupCommit } from '../../state/index.ts';
import { EmbeddedRuntime } from '../../topology/index.ts';
import { resumeErasure } from './erase-users.ts';
import { errorFields } from './error-fields.ts';
import { EventIndex } from './event-index.ts';
import { MemoryGovernor } from './memory-governor.ts';
import type { Answers, HostMessage, HostSettings, Request } from './messages.ts';
import { migrations } from './migrations.ts';
import { publishedStores } from './published-stores.ts';
import { Publisher } from './publisher.ts';
import { unpackRecords } from './packed-records.ts';
import { StoreReader, type Query, type QueryOf } from './store-reader.ts';

export const applicationId = 'shop';

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
  readonly runtime: EmbeddedRuntime;
  readonly reader: StoreReader;
  readonly index: EventIndex;
  readonly partitions: number;
  readonly registry: SchemaRegistry;
  /** Set when what is durable is in doubt. */
  failure: { readonly error: unknown } | undefined;
  readonly #publisher: Publisher;
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
      const opened = { settings, hooks, engine, commits, log, registry, publisher, governor };
      const { runtime, partitions } = await openRuntime(opened, () => holder.failure !== undefined);
      const database = new Database({ ...opened, runtime, partitions });
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

  private constructor(parts: OpenedLog & { readonly runtime: EmbeddedRuntime; readonly partitions: number }) {
    this.engine = parts.engine;
    this.commits = parts.commits;
    this.log = parts.log;
    this.runtime = parts.runtime;
    this.partitions = parts.partitions;
    this.registry = parts.registry;
    this.reader = new StoreReader(parts.engine, parts.runtime);
    this.index = new EventIndex(parts.engine, Date.now);
    this.#publisher = parts.publisher;
    this.#governor = parts.governor;
  }

  start(): void {
    this.runtime.start();
  }

  async ask<K extends Query['kind']>(query: QueryOf<K>): Promise<Answers[K]> {
    return (await this.reader.ask<K>(query)).answer;
  }

  async produce({ topic, records, eventIds }: Extract<Request, { kind: 'produce' }>): Promise<Answers['produce']> {
    if (eventIds === undefined) return { appended: await this.#append(topic, unpackRecords(records)), duplicates: [] };
    const duplicates = await this.index.duplicates(eventIds);
    const fresh = eventIds.filter((_, at) => !duplicates.has(at));
    const append = this.#append(
      topic,
      unpackRecords(records, (at) => !duplicates.has(at)),
    );
    this.index.track(fresh, append);
    // Submitted behind the append, so never durable before it; usually both share one write.
    const indexed = this.commits.submit((writer) => this.index.stage(writer, fresh));
    const [appended] = await Promise.all([append, indexed]);
    return { appended, duplicates: [...duplicates] };
  }

  async #append(topic: string, partitions: ReturnType<typeof unpackRecords>): Promise<number> {
    const appends = [...partitions].map(async ([partition, records]) => {
      await this.log.produce({ topic, partition }, records);
      return records.length;
    });
    return (await Promise.all(appends)).reduce((sum, count) => sum + count, 0);
  }

  settled(): Promise<void> {
    return this.runtime.commitSettled();
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
    await this.runtime.caughtUp();
    return this.reader.sourceOffsets();
  }

  publishAll(): Promise<void> {
    return this.#publisher.publishAll(this.engine, this.runtime, 1);
  }

  /** Commits and closes; after a failed write, or when the commit fails, closes only: the log has what was taken. */
  async close(): Promise<void> {
    try {
      if (this.failure === undefined) await this.runtime.stop();
    } catch (error) {
      if (this.failure === undefined) throw error;
    }
    await this.#closeFolder();
  }

  /** Closes without a commit, as a kill would. */
  async abandon(): Promise<void> {
    await this.runtime.abandon();
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

interface OpenedLog {
  readonly settings: HostSettings;
  readonly hooks: DatabaseHooks;
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
  readonly registry: SchemaRegistry;
  readonly publisher: Publisher;
  readonly governor: MemoryGovernor;
}

async function openRuntime({ settings, hooks, publisher, governor, ...opened }: OpenedLog, hasFailed: () => boolean) {
  const made = (await opened.log.topics()).find(({ name }) => name === shopTopics.interactions);
  const partitions = made?.partitions ?? settings.partitions;
  await opened.log.createTopics([{ name: shopTopics.products, partitions, cleanup: 'compact' }]);
  const topology = await shopTopology({ registry: opened.registry, partitions });
  const waiting = new Int32Array(settings.waiting);
  const runtime = await EmbeddedRuntime.open({
    ...opened,
    topology,
    applicationId,
    topics: {
      [shopTopics.interactions]: partitions,
      [shopTopics.clean]: partitions,
      [shopTopics.deadLetter]: 1,
      [shopTopics.productsHistory]: partitions,
    },
    config: {
      storeCacheBytes: settings.storeCacheBytes,
      maxDirtyBytes: settings.dirtyBytesMax,
      commitIntervalMs: settings.commitIntervalMs,
    },
    handlers: { deserialization: () => 'dead-letter', processing: deadLetterBadRecords },
    deadLetterTopic: shopTopics.deadLetter,
    memory: governor,
    publish: { stores: publishedStores, onCommit: (commit) => publisher.publish(commit, 1) },
    queriesWaiting: () => Atomics.load(waiting, 0) > 0,
    paused: () => hooks.paused() || hasFailed(),
    onFailure: (error) => {
      // After a failed write the folder is opened again, and the topology with it.
      if (!hasFailed()) hooks.send({ kind: 'topologyFailed', error: errorFields(error) });
    },
  });
  return { runtime, partitions };
}

/** A record that breaks a rule of the shop is dead; anything else is a fault of ours and stops the topology. */
export function deadLetterBadRecords(_: unknown, error: MillraceError): 'dead-letter' | 'fail' {
  return error.cause instanceof MillraceError && error.cause.code === 'INVALID_EVENT' ? 'dead-letter' : 'fail';
}
