import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaLog, type KafkaLogOptions, type Log } from '../../log/index.ts';
import {
  confluentRegistry,
  isMillraceError,
  MillraceError,
  type ConfluentRegistryOptions,
} from '../../schemas/index.ts';
import { createGroupCommit, openDataFolder, type Engine, type GroupCommit } from '../../state/index.ts';
import type { ChangedStore, DistributedRuntime, ProcessingGuarantee } from '../../topology/index.ts';
import { mergedOffsets } from './cluster-reader.ts';
import type { DatabaseHooks } from './database.ts';
import { errorFields } from './error-fields.ts';
import { EventIndex } from './event-index.ts';
import type { GenerationEntry } from './generations/generation-book.ts';
import { SharedGenerations } from './generations/shared-generations.ts';
import type { SharedRun } from './generations/shared-run.ts';
import { prepareShop } from './generations/shop-runtime.ts';
import type { Answers, HostSettings, Request, SourceOffset } from './messages.ts';
import { migrations } from './migrations.ts';
import { Notices } from './notices.ts';
import { appendRecords, unpackRecords } from './packed-records.ts';
import { peerGroup, type PeerQuestion } from './peers.ts';
import { publishedStores, wholeStores } from './published-stores.ts';
import { Publisher, type WholeRow } from './publisher.ts';
import type { AnswerHere, Query, QueryOf, StoreReader } from './store-reader.ts';

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
  readonly generations: SharedGenerations;
  readonly partitions: number;
  /** Set when what is durable is in doubt. */
  failure: { readonly error: unknown } | undefined;
  readonly #index: EventIndex;
  readonly #publisher: Publisher;
  readonly #send: DatabaseHooks['send'];
  readonly #refreshing: NodeJS.Timeout;
  /** The view shows what others may have changed meanwhile. */
  #outOfDate = false;
  #refreshAtMs = 0;
  #publishing: Promise<void> = Promise.resolve();
  #known: readonly SourceOffset[] = [];
  /** A run whose rows are gathered from all instances, and what it has committed here meanwhile. */
  #gathering: { readonly run: SharedRun; readonly changed: ChangedStore[] } | undefined;
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
      const generations = await SharedGenerations.open({
        ...{ settings, engine, commits, log, partitions },
        registry: confluentRegistry(kafka.registry),
        paused: () => hooks.paused() || holder.failure !== undefined,
        show: async (run, shown) => await holder.database?.show(run, shown),
        tell: notices.tell,
        onCommit: (run, stores) => holder.database?.publish(run, stores),
        onTasks: (run) => holder.database?.tasksChanged(run),
        onRestore: (progress) => notices.restored(progress),
        onRecovery: ({ task, error }) =>
          notices.tell(`Task ${task} was given up and is opened again: ${error.message}`),
        onTopologyFailed: (error) => {
          if (holder.failure === undefined) hooks.send({ kind: 'topologyFailed', error: errorFields(error) });
        },
      });
      const database = new KafkaDatabase({ engine, commits, log, generations, partitions, send: hooks.send });
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
    this.generations = parts.generations;
    this.partitions = parts.partitions;
    this.#send = parts.send;
    this.#index = new EventIndex(parts.engine, Date.now);
    this.#publisher = new Publisher(publishedStores, (publication) =>
      parts.send({ kind: 'publication', publication }, [publication.slice]),
    );
    this.#refreshing = setInterval(() => {
      if (this.#outOfDate && performance.now() >= this.#refreshAtMs) this.publishAll();
    }, refreshEveryMs);
    this.#refreshing.unref();
  }

  get generation(): GenerationEntry {
    return this.#run.entry;
  }

  /** Of the generation that answers are about. */
  get runtime(): DistributedRuntime {
    return this.#run.runtime;
  }

  get reader(): StoreReader {
    return this.#run.reader;
  }

  get #run(): SharedRun {
    return this.generations.shown;
  }

  /** Joins the group; `url` is where other instances reach this one. */
  async start(url?: string): Promise<void> {
    await this.generations.start(url);
  }

  /** From whichever instances have it. */
  async ask<K extends Query['kind']>(query: QueryOf<K>): Promise<Answers[K]> {
    const { answer, asOf } = await this.#run.cluster.ask<K>(query);
    const known = this.#know(asOf);
    return answer instanceof ArrayBuffer ? answer : { ...answer, asOf: known };
  }

  async askStale(query: Query): Promise<AnswerHere> {
    const part = await this.#run.cluster.askStale(query);
    const asOf = this.#know(part.asOf);
    return {
      ...part,
      answer: part.answer instanceof ArrayBuffer ? part.answer : { ...part.answer, asOf },
    } as AnswerHere;
  }

  /** @throws MillraceError `REBALANCING` where no run of that group is open here */
  async askHere({ query, stale, group }: PeerQuestion): Promise<AnswerHere> {
    const run = this.generations.run(group);
    if (run !== undefined) return await run.reader.ask(query, stale);
    throw new MillraceError('REBALANCING', `This instance has no tasks of the group '${group}'.`, { group });
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

  async settled(): Promise<Answers['settled']> {
    const { runtime, group } = this.#run;
    await runtime.commitsEnded();
    return { group };
  }

  lag(): Promise<Answers['lag']> {
    return this.runtime.lag();
  }

  /** When every instance has processed what the log has now, shows it to who asks, and the view has been told. */
  async caughtUp(): Promise<Answers['caughtUp']> {
    for (;;) {
      const run = this.#run;
      try {
        await run.runtime.caughtUp();
        await Promise.all([run.runtime.commitsEnded(), ...run.peers.map((url) => peerGroup(url))]);
        await this.#publishAll(run);
        if (run === this.#run) return this.#known;
      } catch (error) {
        // Another generation may have taken over meanwhile: then that one says when it has caught up. Tasks on their way come.
        const isOnItsWay = run !== this.#run || isMillraceError(error, 'REBALANCING');
        if (!isOnItsWay || this.#closed) throw error;
        await sleep(100);
      }
    }
  }

  tasksChanged(run: SharedRun): void {
    if (run === this.#run) this.publishAll();
  }

  /** As soon as all tasks of the group run; until then the view stays as it is, and the timer tries again. */
  publishAll(): void {
    this.#outOfDate = true;
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    this.#publishAll(this.#run)
      .catch((error: unknown) => {
        if (!this.#closed && !isMillraceError(error, 'REBALANCING'))
          this.#send({ kind: 'topologyFailed', error: errorFields(error) });
      })
      .finally(() => (this.#isRefreshing = false));
  }

  /** Publishes all of a run, and calls `shown` in the same moment: what is asked from then on is asked of it. */
  async show(run: SharedRun, shown: () => void): Promise<void> {
    await run.cluster.allAnswer();
    await this.#publishAll(run, shown);
  }

  /** Commits and closes; after a failed write, or when the commit fails, closes only: the log has what was taken. */
  async close(): Promise<void> {
    try {
      if (this.failure === undefined) await this.generations.close();
    } catch (error) {
      if (this.failure === undefined) throw error;
    }
    await this.#close();
  }

  /** Closes without a commit, as a kill would. */
  async abandon(): Promise<void> {
    await this.generations.abandon();
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
  #publishAll(run: SharedRun, shown?: () => void): Promise<void> {
    const published = this.#publishing.then(() => this.#gatherAndPublish(run, shown));
    this.#publishing = published.catch(() => undefined); // Whoever asked hears of it.
    return published;
  }

  async #gatherAndPublish(run: SharedRun, shown?: () => void): Promise<void> {
    const begunMs = performance.now();
    const rows: WholeRow[] = [];
    const changed: ChangedStore[] = [];
    this.#gathering = { run, changed };
    let asOf: readonly SourceOffset[] = [];
    for (const store of wholeStores) {
      for (let partition = 0; partition < run.reader.partitionsOf(store); partition++) {
        const scan = { kind: 'scan', store, partition, after: null, limit: wholeRowsMax } as const;
        const part = await run.cluster.ask<'scan'>(scan);
        asOf = mergedOffsets([asOf, part.asOf]);
        for (const row of part.answer.rows) rows.push({ store, partition, ...row });
      }
    }
    this.#gathering = undefined;
    this.#refreshAtMs = performance.now() + refreshShare * (performance.now() - begunMs);
    const isShown = run === this.#run;
    if (!isShown && shown === undefined) return; // Another has taken over meanwhile.
    const later = changed.flatMap(({ name: store, partition, changes }) =>
      changes.map((change) => ({ store, partition, ...change })),
    );
    this.#outOfDate = run.runtime.runningTasks.length < run.runtime.owners().length;
    this.#known = isShown ? mergedOffsets([this.#known, asOf]) : asOf;
    this.#publisher.publishWhole([...rows, ...later], this.#known, run.entry.id);
    shown?.();
  }

  /** What a commit of a task here has changed. */
  publish(run: SharedRun, stores: readonly ChangedStore[]): void {
    const published = stores.filter(({ name }) => publishedStores.includes(name));
    if (this.#gathering?.run === run) {
      this.#gathering.changed.push(...published.filter(({ name }) => wholeStores.includes(name)));
    }
    if (run !== this.#run) return;
    const offsets = this.#know(run.reader.sourceOffsets());
    this.#publisher.publish({ stores: published, offsets }, run.entry.id);
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
  readonly generations: SharedGenerations;
  readonly partitions: number;
  readonly send: DatabaseHooks['send'];
}

/** How old may be what the view shows of partitions that are elsewhere: their commits are not published here. */
const refreshEveryMs = 500;
/** Where answers take long, what was fetched stays longer: a list asks for more than one thing after the other. In times of one gathering. */
const refreshShare = 10;
/** Of a store that all look-ups need, a partition has a handful. */
const wholeRowsMax = 10_000;
