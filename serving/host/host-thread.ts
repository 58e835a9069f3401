import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { isMillraceError, MillraceError, type ErrorCode } from '../../schemas/index.ts';
import { FreeSpace, noteOwner, readOwner, writeBackup } from '../../state/index.ts';
import { describeExecution } from '../../topology/index.ts';
import { Database, type DatabaseHooks } from './database.ts';
import { KafkaDatabase } from './kafka-database.ts';
import { eraseUsers } from './erase-users.ts';
import { errorFields } from './error-fields.ts';
import type { Answers, HostMessage, HostSettings, Request, RequestMessage } from './messages.ts';
import { packRecords } from './packed-records.ts';

/**
 * The thread that owns the database: engine, log and topology live here and nowhere else. It answers requests between
 * batches and publishes what every commit changed (docs/decisions/003-threads-and-lookups.md).
 */
class HostThread {
  readonly #settings: HostSettings;
  readonly #port: MessagePort;
  readonly #space: FreeSpace;
  #database: ShopDatabase;
  #reopening: Promise<void> | undefined;
  #recovering: Promise<void> | undefined;
  #saidStorage = false;
  #stopping = false;
  #started: boolean;
  #url: string | undefined;

  static async open(settings: HostSettings, port: MessagePort): Promise<HostThread> {
    const space = new FreeSpace(settings.dataDir, settings.storageReserveBytes);
    const holder: { thread?: HostThread } = {};
    const hooks = {
      send: (message: HostMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer),
      paused: () => space.isLow,
      onFailure: () => holder.thread?.recover(),
    };
    const database = await openDatabase(settings, hooks);
    space.look();
    const thread = new HostThread({ settings, port, space, database, hooks });
    holder.thread = thread;
    await database.publishAll();
    thread.listen(port);
    if (settings.runs) await database.start();
    thread.#watchSpace();
    if (database.failure !== undefined) thread.recover();
    return thread;
  }

  readonly #hooks: DatabaseHooks;

  private constructor(parts: ThreadParts) {
    this.#settings = parts.settings;
    this.#port = parts.port;
    this.#space = parts.space;
    this.#database = parts.database;
    this.#hooks = parts.hooks;
    this.#started = parts.settings.runs;
  }

  get partitions(): number {
    return this.#database.partitions;
  }

  listen(port: MessagePort): void {
    port.on('message', ({ id, request }: RequestMessage) => {
      this.#answer(request).then(
        (answer) => port.postMessage({ kind: 'answer', id, answer } satisfies HostMessage),
        (error: unknown) => {
          const told = errorFields(this.#storageError(error));
          port.postMessage({ kind: 'error', id, error: told } satisfies HostMessage);
        },
      );
    });
  }

  async #answer(request: Request): Promise<Answers[Request['kind']]> {
    if (this.#reopening !== undefined) await this.#reopening.catch(() => undefined); // What follows tells it.
    const { reader, runtime } = this.#database;
    switch (request.kind) {
      case 'produce':
        return this.#produce(request);
      case 'get':
      case 'getMany':
      case 'fetch':
      case 'scan':
      case 'range':
      case 'search':
      case 'windows':
        return await this.#database.ask(request);
      case 'askHere':
        return await this.#database.askHere(request);
      case 'askStale':
        return await this.#database.askStale(request.query);
      case 'settled':
        return await this.#database.settled();
      case 'stores':
        return reader.stores();
      case 'lag':
        return await this.#database.lag();
      case 'topology': {
        const { topology } = runtime;
        return { text: topology.describe(), json: topology.toJSON(), execution: describeExecution(topology.graph) };
      }
      case 'metrics':
        return runtime.metrics.snapshot();
      case 'read':
        return this.#read(request);
      case 'caughtUp':
        return await this.#caughtUp();
      case 'eraseUsers':
        return await this.#eraseUsers(request.users);
      case 'backup':
        return await this.#backup(request.folder);
      case 'generations':
        return await this.#database.generations.list();
      case 'replay':
        return await this.#database.generations.startReplay(request);
      case 'activate':
        return await this.#database.generations.activate(request.generation);
      case 'prune':
        await this.#database.generations.prune(request.generation);
        return null;
      case 'start':
        this.#url = request.url;
        this.#started = true;
        await this.#database.start(request.url);
        return null;
      case 'connect':
        this.listen(request.port);
        return null;
      case 'stop':
        await this.#stop();
        return null;
    }
  }

  async #produce(request: Extract<Request, { kind: 'produce' }>): Promise<Answers['produce']> {
    if (this.#database.failure !== undefined || !this.#space.look()) {
      this.#tellStorage();
      throw this.#unwritable();
    }
    return await this.#database.produce(request);
  }

  async #read({ topic, partition, offset, maxRecords }: Extract<Request, { kind: 'read' }>): Promise<Answers['read']> {
    const of = { topic, partition };
    const start = Math.max(offset, await this.#database.log.listOffsets(of, 'earliest'));
    const { records, nextOffset } = await this.#database.log.read(of, start, { maxRecords, maxBytes: 8 * 1024 * 1024 });
    return { records: packRecords(records.map((record) => ({ ...record, partition }))), nextOffset };
  }

  async #eraseUsers(users: readonly string[]): Promise<Answers['eraseUsers']> {
    const database = this.#embedded('Forgetting users');
    return await database.generations.alone('Forgetting users', () => eraseUsers(users, database));
  }

  async #backup(folder: string): Promise<Answers['backup']> {
    const { runtime, engine, reader } = this.#embedded('A backup');
    await runtime.commitSettled();
    const asOf = reader.sourceOffsets();
    await using snapshot = engine.snapshot();
    const { rows, files } = await writeBackup(folder, { snapshot, asOf, dataDir: this.#settings.dataDir });
    return { rows, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), asOf };
  }

  /** Goes on waiting over a reopening. */
  async #caughtUp(): Promise<Answers['caughtUp']> {
    for (;;) {
      const database = this.#database;
      try {
        return await database.caughtUp();
      } catch (error) {
        if (database.failure === undefined || this.#stopping) throw error;
        await this.#recovering;
      }
    }
  }

  /**
   * A write has failed, so what is durable is in doubt: gives the open database up and opens it again, as after a kill,
   * as soon as there is room. Until then it still answers reads of what was committed.
   */
  recover(): void {
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = undefined;
    });
  }

  async #recover(): Promise<void> {
    while (!this.#stopping && this.#database.failure !== undefined) {
      await setTimeout(lookEveryMs);
      if (!this.#space.look()) {
        this.#tellStorage();
        continue;
      }
      this.#tellStorage();
      this.#reopening = this.#reopen();
      // Full again, or not mended: the next turn tries again, and requests are told meanwhile.
      await this.#reopening.catch((error: unknown) => (this.#database.failure = { error }));
      this.#reopening = undefined;
    }
    this.#tellStorage();
  }

  async #reopen(): Promise<void> {
    const { dataDir } = this.#settings;
    const owner = await readOwner(dataDir);
    const before = this.#database;
    await before.abandon();
    const database = await openDatabase(this.#settings, this.#hooks);
    this.#database = database;
    if (owner !== undefined) await noteOwner(dataDir, owner);
    // The write that failed may have come through, unseen by the replica.
    if (!isDeepStrictEqual(shownBy(database), shownBy(before))) {
      await database.publishAll();
    }
    if (this.#started) await database.start(this.#url);
  }

  /** Without producers, too, the topology has to hear that the disk fills up. */
  #watchSpace(): void {
    const timer = setInterval(() => {
      try {
        this.#space.look();
      } catch {
        return; // The folder is gone: the next write says so.
      }
      this.#tellStorage();
    }, lookEveryMs);
    timer.unref();
  }

  /** Says once when writing has become impossible, and once when it is possible again. */
  #tellStorage(): void {
    const unwritable = this.#database.failure !== undefined || this.#space.isLow;
    if (unwritable === this.#saidStorage) return;
    this.#saidStorage = unwritable;
    const error = unwritable ? errorFields(this.#unwritable()) : null;
    this.#port.postMessage({ kind: 'storage', error } satisfies HostMessage);
  }

  #unwritable(): MillraceError {
    const cause = this.#database.failure?.error;
    if (this.#space.isLow || cause === undefined || isNoSpace(cause)) return this.#space.error(cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { dataDir: folder } = this.#settings;
    return new MillraceError(
      'STORAGE_FAILED',
      `A write to the data folder ${folder} failed, it is being opened again: ${reason}`,
      { folder },
      { cause },
    );
  }

  /** An error that is only a consequence of the failed write, in its words. */
  #storageError(error: unknown): unknown {
    if (this.#database.failure === undefined) return error;
    return isMillraceError(error) && !consequences.has(error.code) ? error : this.#unwritable();
  }

  /** What only a folder can do that has everything. */
  #embedded(what: string): Database {
    if (this.#database instanceof Database) return this.#database;
    throw new MillraceError('NOT_ON_KAFKA', `${what} wants a folder with its own log; here the log is on Kafka.`);
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    await this.#recovering;
    await this.#database.close();
  }
}

interface ThreadParts {
  readonly settings: HostSettings;
  readonly port: MessagePort;
  readonly space: FreeSpace;
  readonly database: ShopDatabase;
  readonly hooks: DatabaseHooks;
}

type ShopDatabase = Database | KafkaDatabase;

function openDatabase(settings: HostSettings, hooks: DatabaseHooks): Promise<ShopDatabase> {
  const { kafka } = settings;
  return kafka === undefined ? Database.open(settings, hooks) : KafkaDatabase.open({ ...settings, kafka }, hooks);
}

const lookEveryMs = 500;

/** What an engine, a log and a runtime say after a write of theirs has failed. */
const consequences = new Set<ErrorCode>(['INTERNAL', 'LOG_CLOSED', 'STORE_CLOSED', 'TASK_STOPPED']);

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && /no space left|ENOSPC|quota/i.test(error.message);
}

function shownBy(database: ShopDatabase): unknown {
  return [database.generation.id, database.runtime.committedOffsets];
}

/** Opens the folder, publishes what is in it, then starts the topology. */
export async function openHostThread(settings: HostSettings, port: MessagePort): Promise<void> {
  const thread = await HostThread.open(settings, port);
  port.postMessage({ kind: 'opened', partitions: thread.partitions } satisfies HostMessage);
}

if (parentPort !== null) {
  const port = parentPort as unknown as MessagePort;
  openHostThread(workerData as HostSettings, port).catch((error: unknown) => {
    port.postMessage({ kind: 'openFailed', error: errorFields(error) } satisfies HostMessage);
  });
}
