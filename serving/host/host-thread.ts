import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { openEmbeddedLog, type EmbeddedLog } from '../../log/index.ts';
import { shopTopics, shopTopology } from '../../processors/index.ts';
import { MillraceError, openEmbeddedRegistry } from '../../schemas/index.ts';
import { createGroupCommit, openDataFolder, type Engine, type GroupCommit } from '../../state/index.ts';
import { EmbeddedRuntime } from '../../topology/index.ts';
import { errorFields } from './error-fields.ts';
import { EventIndex } from './event-index.ts';
import type { Answers, HostMessage, HostSettings, Request, RequestMessage } from './messages.ts';
import { packRecords, unpackRecords } from './packed-records.ts';
import { publishedStores } from './published-stores.ts';
import { Publisher } from './publisher.ts';
import { StoreReader } from './store-reader.ts';

/**
 * The thread that owns the database: engine, log and topology live here and nowhere else. It answers requests between
 * batches and publishes what every commit changed (docs/decisions/003-threads-and-lookups.md).
 */
export const applicationId = 'shop';

class HostThread {
  readonly #settings: HostSettings;
  readonly #engine: Engine;
  readonly #commits: GroupCommit;
  readonly #log: EmbeddedLog;
  readonly #runtime: EmbeddedRuntime;
  readonly #reader: StoreReader;
  readonly #index: EventIndex;

  constructor(parts: HostParts) {
    this.#settings = parts.settings;
    this.#engine = parts.engine;
    this.#commits = parts.commits;
    this.#log = parts.log;
    this.#runtime = parts.runtime;
    this.#reader = new StoreReader(parts.engine, parts.runtime);
    this.#index = new EventIndex(parts.engine, Date.now);
  }

  start(): void {
    if (this.#settings.runs) this.#runtime.start();
  }

  listen(port: MessagePort): void {
    port.on('message', ({ id, request }: RequestMessage) => {
      this.#answer(request).then(
        (answer) => port.postMessage({ kind: 'answer', id, answer } satisfies HostMessage),
        (error: unknown) => port.postMessage({ kind: 'error', id, error: errorFields(error) } satisfies HostMessage),
      );
    });
  }

  async #answer(request: Request): Promise<Answers[Request['kind']]> {
    switch (request.kind) {
      case 'produce':
        return this.#produce(request);
      case 'get':
        return this.#reader.get(request.store, request.key);
      case 'getMany':
        return this.#reader.getMany(request.keys);
      case 'scan':
        return this.#reader.scan(request);
      case 'range':
        return this.#reader.range(request);
      case 'stores':
        return this.#reader.stores();
      case 'lag':
        return this.#lag();
      case 'topology': {
        const { topology, execution } = this.#reader.topology();
        return { text: topology.describe(), json: topology.toJSON(), execution };
      }
      case 'metrics':
        return this.#runtime.metrics.snapshot();
      case 'read':
        return this.#read(request);
      case 'caughtUp':
        await this.#runtime.caughtUp();
        return this.#reader.sourceOffsets();
      case 'connect':
        this.listen(request.port);
        return null;
      case 'stop':
        await this.#stop();
        return null;
    }
  }

  async #produce({ topic, records, eventIds }: Extract<Request, { kind: 'produce' }>): Promise<Answers['produce']> {
    if (eventIds === undefined) return { appended: await this.#append(topic, unpackRecords(records)), duplicates: [] };
    const duplicates = await this.#index.duplicates(eventIds);
    const fresh = eventIds.filter((_, index) => !duplicates.has(index));
    const append = this.#append(
      topic,
      unpackRecords(records, (index) => !duplicates.has(index)),
    );
    this.#index.track(fresh, append);
    // Submitted behind the append, so never durable before it; usually both share one write.
    const indexed = this.#commits.submit((writer) => this.#index.stage(writer, fresh));
    const [appended] = await Promise.all([append, indexed]);
    return { appended, duplicates: [...duplicates] };
  }

  async #append(topic: string, partitions: ReturnType<typeof unpackRecords>): Promise<number> {
    const appends = [...partitions].map(async ([partition, records]) => {
      await this.#log.produce({ topic, partition }, records);
      return records.length;
    });
    return (await Promise.all(appends)).reduce((sum, count) => sum + count, 0);
  }

  async #read({ topic, partition, offset, maxRecords }: Extract<Request, { kind: 'read' }>): Promise<Answers['read']> {
    const of = { topic, partition };
    const start = Math.max(offset, await this.#log.listOffsets(of, 'earliest'));
    const { records, nextOffset } = await this.#log.read(of, start, { maxRecords, maxBytes: 8 * 1024 * 1024 });
    return { records: packRecords(records.map((record) => ({ ...record, partition }))), nextOffset };
  }

  #lag(): Answers['lag'] {
    const committed = new Map(
      this.#runtime.committedOffsets.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]),
    );
    return this.#runtime.tasks.flatMap((task) =>
      task.inputs.map(({ partition: { topic, partition } }) => {
        const committedOffset = committed.get(`${topic}/${partition}`) ?? 0;
        const endOffset = this.#log.endOffset({ topic, partition });
        const lagRecords = endOffset - committedOffset;
        return { task: task.id, topic, partition, committedOffset, endOffset, lagRecords };
      }),
    );
  }

  async #stop(): Promise<void> {
    await this.#runtime.stop();
    await this.#commits.idle();
    await this.#log[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
  }
}

interface HostParts {
  readonly settings: HostSettings;
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
  readonly runtime: EmbeddedRuntime;
}

/** Opens the folder, publishes what is in it, then starts the topology. */
export async function openHostThread(settings: HostSettings, port: MessagePort): Promise<void> {
  const { dataDir, syncWrites } = settings;
  const engine = await openDataFolder(dataDir, settings.database);
  const commits = createGroupCommit(engine);
  const log = await openEmbeddedLog({ engine, commits, syncWrites });
  const registry = await openEmbeddedRegistry(dataDir);
  const made = (await log.topics()).find(({ name }) => name === shopTopics.interactions);
  const partitions = made?.partitions ?? settings.partitions;
  const topology = await shopTopology({ registry, partitions });
  const waiting = new Int32Array(settings.waiting);
  const publisher = new Publisher(publishedStores, (publication) => {
    port.postMessage({ kind: 'publication', publication } satisfies HostMessage, [publication.slice]);
  });
  const runtime = await EmbeddedRuntime.open({
    topology,
    applicationId,
    engine,
    commits,
    log,
    topics: { [shopTopics.interactions]: partitions, [shopTopics.clean]: partitions, [shopTopics.deadLetter]: 1 },
    config: { storeCacheBytes: settings.storeCacheBytes, commitIntervalMs: settings.commitIntervalMs },
    handlers: { deserialization: () => 'dead-letter', processing: deadLetterBadRecords },
    deadLetterTopic: shopTopics.deadLetter,
    publish: { stores: publishedStores, onCommit: (commit) => publisher.publish(commit) },
    queriesWaiting: () => Atomics.load(waiting, 0) > 0,
    onFailure: (error) => {
      port.postMessage({ kind: 'topologyFailed', error: errorFields(error) } satisfies HostMessage);
    },
  });
  await publisher.publishAll(engine, runtime);
  const thread = new HostThread({ settings, engine, commits, log, runtime });
  thread.listen(port);
  thread.start();
  port.postMessage({ kind: 'opened', partitions } satisfies HostMessage);
}

/** A record that breaks a rule of the shop is dead; anything else is a fault of ours and stops the topology. */
function deadLetterBadRecords(_: unknown, error: MillraceError): 'dead-letter' | 'fail' {
  return error.cause instanceof MillraceError && error.cause.code === 'INVALID_EVENT' ? 'dead-letter' : 'fail';
}

if (parentPort !== null) {
  const port = parentPort as unknown as MessagePort;
  openHostThread(workerData as HostSettings, port).catch((error: unknown) => {
    port.postMessage({ kind: 'openFailed', error: errorFields(error) } satisfies HostMessage);
  });
}
