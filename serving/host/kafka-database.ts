import { openKafkaLog, type KafkaLogOptions, type Log } from '../../log/index.ts';
import { shopTopology } from '../../processors/index.ts';
import { confluentRegistry, isMillraceError, type ConfluentRegistryOptions } from '../../schemas/index.ts';
import { createGroupCommit, openDataFolder, type Engine, type GroupCommit } from '../../state/index.ts';
import { DistributedRuntime, type ChangedStore, type ProcessingGuarantee } from '../../topology/index.ts';
import { ClusterReader, mergedOffsets } from './cluster-reader.ts';
import type { DatabaseHooks } from './database.ts';
import { errorFields } from './error-fields.ts';
import { EventIndex } from './event-index.ts';
import { prepareShop, shopOptions } from './generations/shop-runtime.ts';
import type { Answers, HostSettings, Request, SourceOffset } from './messages.ts';
import { migrations } from './migrations.ts';
import { Notices } from './notices.ts';
import { appendRecords, unpackRecords } from './packed-records.ts';
import { askPeer, peerSettled } from './peers.ts';
import { publishedStores, wholeStores } from './published-stores.ts';
import { Publisher, type WholeRow } from './publisher.ts';
import { StoreReader, type AnswerHere, type Query, type QueryOf } from './store-reader.ts';

/** Where the log, the schemas and the other instances are. */
export interface KafkaSettings {
  readonly log: KafkaLogOptions;
  readonly registry: ConfluentRegistryOptions;
  /** Names the consumer group, and prefixes internal topics: instances of one shop have the same. */
  readonly applicationId: string;
  /** Other instances that follow the state of each task. Default 0. */
  readonly standbyReplicas?: number;
  /** The same for all threads of the instance (`DistributedOptions.processId`). */
  readonly processId?: string;
  /** Default `exactly_once`. */
  readonly processingGuarantee?: ProcessingGuarantee;
  /** Default 100, as Kafka Streams under exactly-once: a record passes several commits on its way. */
  readonly commitIntervalMs?: number;
}

/**
 * The shop on a Kafka cluster that instances share: the log is there, and this folder holds the state of the tasks that fall to this
 * instance. What it lacks is restored from changelogs, so it may be empty, and may be lost (docs/architecture/distributed.md).
 */
export class KafkaDatabase {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: Log;
  readonly runtime: DistributedRuntime;
  readonly reader: StoreReader;
  readonly partitions: number;
  /** Set when what is durable is in doubt. */
  failure: { readonly error: unknown } | undefined;
  readonly #index: EventIndex;
  readonly #cluster: ClusterReader;
  readonly #publisher: Publisher;
  readonly #send: DatabaseHooks['send'];
  readonly #refreshing: NodeJS.Timeout;
  /** The view shows what others may have changed meanwhile. */
  #outOfDate = false;
  #publishing: Promise<void> = Promise.resolve();
  #known: readonly SourceOffset[] = [];
  /** What was committed here of these stores while the rows of all instances were gathered. */
  #meanwhile: ChangedStore[] = [];
  #isRefreshing = false;
  #closed = false;

  /** Opens the folder, connects, makes topics that are missing. The instance joins the group when it is started. */
  static async open(settings: HostSettings & { readonly kafka: KafkaSettings }, hooks: DatabaseHooks) {
    const { kafka } = settings;
    const holder: { database?: KafkaDatabase; failure?: { readonly error: unknown } } = {};
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
    const notices = new Notices((text) => hooks.send({ kind: 'notice', text }));
    const opened: AsyncDisposable[] = [engine];
    try {
      const log = await openKafkaLog(kafka.log);
      opened.push(log);
      const commits = createGroupCommit(engine);
      const partitions = await prepareShop(log, settings);
      const topology = await shopTopology({ registry: confluentRegistry(kafka.registry), partitions });
      const runtime = await DistributedRuntime.open({
        topology,
        applicationId: kafka.applicationId,
        log,
        engine,
        commits,
        ...shopOptions(partitions),
        config: {
          storeCacheBytes: settings.storeCacheBytes,
          maxDirtyBytes: settings.dirtyBytesMax,
          commitIntervalMs: kafka.commitIntervalMs ?? 100,
          standbyReplicas: kafka.standbyReplicas ?? 0,
        },
        processingGuarantee: kafka.processingGuarantee ?? 'exactly_once',
        processId: kafka.processId,
        paused: () => hooks.paused() || holder.failure !== undefined,
        onCommit: ({ stores }) => holder.database?.publish(stores),
        onTasks: () => holder.database?.publishAll(),
        onRestore: (progress) => notices.restored(progress),
        onRecovery: ({ task, error }) =>
          notices.tell(`Task ${task} was given up and is opened again: ${error.message}`),
        onFailure: (error) => {
          if (holder.failure === undefined) hooks.send({ kind: 'topologyFailed', error: errorFields(error) });
        },
      });
      const database = new KafkaDatabase({ engine, commits, log, runtime, partitions, send: hooks.send });
      holder.database = database;
      database.failure = holder.failure;
      return database;
    } catch (error) {
      for (const each of opened.toReversed()) await each[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(parts: KafkaParts) {
    this.engine = parts.engine;
    this.commits = parts.commits;
    this.log = parts.log;
    this.runtime = parts.runtime;
    this.partitions = parts.partitions;
    this.#send = parts.send;
    this.reader = new StoreReader(parts.engine, parts.runtime);
    this.#cluster = new ClusterReader(this.reader, () => parts.runtime.owners(), askPeer);
    this.#index = new EventIndex(parts.engine, Date.now);
    this.#publisher = new Publisher(publishedStores, (publication) =>
      parts.send({ kind: 'publication', publication }, [publication.slice]),
    );
    this.#refreshing = setInterval(() => {
      if (this.#outOfDate) this.publishAll();
    }, refreshEveryMs);
    this.#refreshing.unref();
  }

  /** Joins the group; `url` is where other instances reach this one. */
  async start(url?: string): Promise<void> {
    await this.runtime.start(url);
  }

  /** From whichever instances have it. */
  async ask<K extends Query['kind']>(query: QueryOf<K>): Promise<Answers[K]> {
    const { answer, asOf } = await this.#cluster.ask<K>(query);
    const known = this.#know(asOf);
    return answer instanceof ArrayBuffer ? answer : { ...answer, asOf: known };
  }

  async askStale(query: Query): Promise<AnswerHere> {
    const part = await this.#cluster.askStale(query);
    const asOf = this.#know(part.asOf);
    return {
      ...part,
      answer: part.answer instanceof ArrayBuffer ? part.answer : { ...part.answer, asOf },
    } as AnswerHere;
  }

  async produce({ topic, records, eventIds }: Extract<Request, { kind: 'produce' }>): Promise<Answers['produce']> {
    const duplicates = eventIds === undefined ? new Set<number>() : await this.#index.duplicates(eventIds);
    const partitions = unpackRecords(records, (at) => !duplicates.has(at));
    const append = appendRecords(this.log, topic, partitions);
    const fresh = eventIds?.filter((_, at) => !duplicates.has(at)) ?? [];
    this.#index.track(fresh, append);
    const appended = await append;
    if (fresh.length > 0) await this.commits.submit((writer) => this.#index.stage(writer, fresh));
    return { appended, duplicates: [...duplicates] };
  }

  settled(): Promise<void> {
    return this.runtime.commitsEnded();
  }

  lag(): Promise<Answers['lag']> {
    return this.runtime.lag();
  }

  /** When every instance has processed what the log has now, shows it to who asks, and the view has been told. */
  async caughtUp(): Promise<Answers['caughtUp']> {
    await this.runtime.caughtUp();
    const peers = this.runtime.owners().flatMap(({ active }) => (active?.isLocal === false ? (active.url ?? []) : []));
    await Promise.all([this.runtime.commitsEnded(), ...[...new Set(peers)].map((url) => peerSettled(url))]);
    await this.#publishAll();
    return this.#known;
  }

  /** As soon as all tasks of the group run; until then the view stays as it is, and the timer tries again. */
  publishAll(): void {
    this.#outOfDate = true;
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    this.#publishAll()
      .catch((error: unknown) => {
        if (!this.#closed && !isMillraceError(error, 'REBALANCING'))
          this.#send({ kind: 'topologyFailed', error: errorFields(error) });
      })
      .finally(() => (this.#isRefreshing = false));
  }

  /** Commits and closes; after a failed write, or when the commit fails, closes only: the log has what was taken. */
  async close(): Promise<void> {
    try {
      if (this.failure === undefined) await this.runtime.stop();
    } catch (error) {
      if (this.failure === undefined) throw error;
    }
    await this.#close();
  }

  /** Closes without a commit, as a kill would. */
  async abandon(): Promise<void> {
    await this.runtime.abandon();
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#refreshing);
    await this.#publishing;
    await this.commits.idle();
    await this.log[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
  }

  /** What all look-ups need, from all instances; what the view has fetched it fetches anew. */
  #publishAll(): Promise<void> {
    const published = this.#publishing.then(() => this.#gatherAndPublish());
    this.#publishing = published.catch(() => undefined); // Whoever asked hears of it.
    return published;
  }

  async #gatherAndPublish(): Promise<void> {
    const rows: WholeRow[] = [];
    this.#meanwhile = [];
    for (const store of wholeStores) {
      for (let partition = 0; partition < this.reader.partitionsOf(store); partition++) {
        const scan = { kind: 'scan', store, partition, after: null, limit: wholeRowsMax } as const;
        for (const row of (await this.ask<'scan'>(scan)).rows) rows.push({ store, partition, ...row });
      }
    }
    this.#outOfDate = this.runtime.runningTasks.length < this.runtime.owners().length;
    const later = this.#meanwhile.flatMap(({ name: store, partition, changes }) =>
      changes.map((change) => ({ store, partition, ...change })),
    );
    this.#publisher.publishWhole([...rows, ...later], this.#known, generation);
    this.#meanwhile = [];
  }

  /** What a commit of a task here has changed. */
  publish(stores: readonly ChangedStore[]): void {
    const published = stores.filter(({ name }) => publishedStores.includes(name));
    this.#meanwhile.push(...published.filter(({ name }) => wholeStores.includes(name)));
    const offsets = this.#know(this.reader.sourceOffsets());
    this.#publisher.publish({ stores: published, offsets }, generation);
  }

  /** Offsets that this instance has heard of, its own and those of others, as far as they have come. */
  #know(asOf: readonly SourceOffset[]): readonly SourceOffset[] {
    this.#known = mergedOffsets([this.#known, asOf]);
    return this.#known;
  }
}

interface KafkaParts {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: Log;
  readonly runtime: DistributedRuntime;
  readonly partitions: number;
  readonly send: DatabaseHooks['send'];
}

/** Another generation is another application id, so an instance has one. */
const generation = 1;
/** How old may be what the view shows of partitions that are elsewhere: their commits are not published here. */
const refreshEveryMs = 500;
/** Of a store that all look-ups need, a partition has a handful. */
const wholeRowsMax = 10_000;
