import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { MillraceError, type ConfluentRegistryOptions } from '../../schemas/index.ts';
import type { Migrated } from '../../state/index.ts';
import { collectEarly } from './collect-early.ts';
import { errorFrom } from './error-fields.ts';
import type { Answers, HostMessage, HostSettings, Publication, Request } from './messages.ts';
import { hostMemory, memoryShares } from '../memory-shares.ts';
import { publishedStores } from './published-stores.ts';
import { spawnWorker } from './spawn-worker.ts';

export type HostOptions = Partial<Omit<HostSettings, 'waiting'>> & Pick<HostSettings, 'dataDir'>;

type RequestOf<K extends Request['kind']> = Extract<Request, { readonly kind: K }>;

/**
 * The other threads' end of the host thread: sends requests, hears of publications.
 *
 * @throws from `open` what opening the folder or the topology throws: `DATA_FOLDER_IN_USE`, `TOPOLOGY_INCOMPATIBLE` …
 */
export class Host implements AsyncDisposable {
  /** Names behind the store numbers in a publication's rows. */
  readonly publishedStores: readonly string[] = publishedStores;
  /** Of the topic `interactions`: as the folder was made, whatever the settings say. */
  partitions = 0;
  /** The registry beside the cluster; undefined: the one in the data folder. */
  readonly registry: ConfluentRegistryOptions | undefined;
  /** Steps that the folder's format was taken through when it was opened. */
  readonly migrated: Migrated[] = [];
  readonly #worker: Worker;
  readonly #requests: PendingRequests;
  #onPublication: ((publication: Publication) => void) | undefined;
  #early: Publication[] = [];
  #onTopologyFailed: ((error: MillraceError) => void) | undefined;
  #topologyFailure: MillraceError | undefined;
  #onStorage: ((error: MillraceError | undefined) => void) | undefined;
  #onNotice: ((text: string) => void) | undefined;
  #onEnded: ((error: Error) => void) | undefined;
  #ended: Error | undefined;
  #closed: Promise<void> | undefined;

  private constructor(worker: Worker, { waiting, kafka }: HostSettings) {
    this.#worker = worker;
    this.registry = kafka?.registry;
    this.#requests = new PendingRequests((message, transfer) => worker.postMessage(message, transfer), waiting);
  }

  /** `thread` is for tests that start the thread through a module of their own, which sets faults first (tests/kill). */
  static open(options: HostOptions, thread: URL = new URL('./host-thread.ts', import.meta.url)): Promise<Host> {
    collectEarly();
    const waiting = new SharedArrayBuffer(4);
    const settings: HostSettings = { ...defaultSettings, ...options, waiting };
    const resourceLimits = { maxYoungGenerationSizeMb: Math.max(1, settings.youngGenerationBytes / 1024 ** 2) };
    const worker = spawnWorker(thread, { workerData: settings, resourceLimits });
    const host = new Host(worker, settings);
    return new Promise<Host>((resolve, reject) => {
      worker.on('message', (message: HostMessage) => {
        if (message.kind === 'opened') {
          host.partitions = message.partitions;
          resolve(host);
        } else if (message.kind === 'migrated') host.migrated.push(message.migrated);
        else if (message.kind === 'openFailed') reject(errorFrom(message.error));
        else host.#receive(message);
      });
      worker.on('error', (error) => {
        reject(error);
        host.#fail(error);
      });
      worker.on('exit', (code) => {
        const error = new MillraceError('INTERNAL', `The host thread ended with code ${code}.`, { code });
        reject(error);
        host.#fail(error);
      });
    }).catch(async (error: unknown) => {
      await worker.terminate();
      throw error;
    });
  }

  request<K extends Request['kind']>(request: RequestOf<K>, transfer: readonly (ArrayBuffer | MessagePort)[] = []) {
    return this.#requests.send(request, transfer) as Promise<Answers[K]>;
  }

  /** Hears every publication, those before the call included. One listener. */
  onPublication(listener: (publication: Publication) => void): void {
    this.#onPublication = listener;
    for (const publication of this.#early.splice(0)) listener(publication);
  }

  onTopologyFailed(listener: (error: MillraceError) => void): void {
    this.#onTopologyFailed = listener;
    if (this.#topologyFailure !== undefined) listener(this.#topologyFailure);
  }

  /** Hears when nothing can be written, and why; and, with undefined, when it can be again. One listener. */
  onStorage(listener: (error: MillraceError | undefined) => void): void {
    this.#onStorage = listener;
  }

  /** Hears what an operator may want to know: restores, tasks that were given up. One listener. */
  onNotice(listener: (text: string) => void): void {
    this.#onNotice = listener;
  }

  /** Hears when the thread ends without having been closed: nothing is answered any more. One listener. */
  onEnded(listener: (error: Error) => void): void {
    this.#onEnded = listener;
    if (this.#ended !== undefined) listener(this.#ended);
  }

  /** A port for another thread: give it to a `HostPort` there. */
  async connect(): Promise<MessagePort> {
    const { port1, port2 } = new MessageChannel();
    await this.request({ kind: 'connect', port: port1 }, [port1]);
    return port2;
  }

  /** Commits, closes the database, ends the thread. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      try {
        if (this.#ended === undefined) await this.request({ kind: 'stop' });
      } finally {
        await this.#worker.terminate();
      }
    })();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #fail(error: Error): void {
    this.#requests.failAll(error);
    if (this.#closed !== undefined || this.#ended !== undefined) return;
    this.#ended = error;
    this.#onEnded?.(error);
  }

  #receive(message: Exclude<HostMessage, { kind: 'opened' | 'openFailed' | 'migrated' }>): void {
    switch (message.kind) {
      case 'answer':
      case 'error':
        this.#requests.settle(message);
        return;
      case 'publication':
        if (this.#onPublication === undefined) this.#early.push(message.publication);
        else this.#onPublication(message.publication);
        return;
      case 'storage':
        this.#onStorage?.(message.error === null ? undefined : errorFrom(message.error));
        return;
      case 'notice':
        this.#onNotice?.(message.text);
        return;
      case 'topologyFailed':
        this.#topologyFailure = errorFrom(message.error);
        this.#onTopologyFailed?.(this.#topologyFailure);
    }
  }
}

/** A connection from a third thread: requests only. */
export class HostPort {
  readonly #port: MessagePort;
  readonly #requests: PendingRequests;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#requests = new PendingRequests((message, transfer) => port.postMessage(message, transfer), undefined);
    port.on('message', (message: HostMessage) => {
      if (message.kind === 'answer' || message.kind === 'error') this.#requests.settle(message);
    });
  }

  request<K extends Request['kind']>(request: RequestOf<K>, transfer: readonly ArrayBuffer[] = []) {
    return this.#requests.send(request, transfer) as Promise<Answers[K]>;
  }

  close(): void {
    this.#port.close();
  }
}

type Send = (message: unknown, transfer: readonly (ArrayBuffer | MessagePort)[]) => void;

class PendingRequests {
  readonly #send: Send;
  readonly #waiting: Int32Array | undefined;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #gone: Error | undefined;

  constructor(send: Send, waiting: SharedArrayBuffer | undefined) {
    this.#send = send;
    this.#waiting = waiting && new Int32Array(waiting);
  }

  send(request: Request, transfer: readonly (ArrayBuffer | MessagePort)[]): Promise<unknown> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, hurries: hurries(request) });
      this.#publishWaiting();
      this.#send({ id, request }, transfer);
    });
  }

  settle(message: Extract<HostMessage, { kind: 'answer' | 'error' }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    this.#publishWaiting();
    if (message.kind === 'answer') pending?.resolve(message.answer);
    else pending?.reject(errorFrom(message.error));
  }

  /** Nobody answers any more. */
  failAll(error: Error): void {
    this.#gone ??= error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#publishWaiting();
    for (const { reject } of pending) reject(error);
  }

  #publishWaiting(): void {
    if (this.#waiting === undefined) return;
    let count = 0;
    for (const pending of this.#pending.values()) if (pending.hurries) count += 1;
    Atomics.store(this.#waiting, 0, count);
  }
}

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly hurries: boolean;
}

/** Queries of state hurry the topology on. Appends wait for a write anyway; what is polled can wait for a batch. */
function hurries({ kind }: Request): boolean {
  return queries.has(kind);
}

const queries: ReadonlySet<Request['kind']> = new Set([
  'get',
  'getMany',
  'fetch',
  'scan',
  'range',
  'search',
  'windows',
  'read',
] as const);

const defaultSettings: Omit<HostSettings, 'dataDir' | 'waiting'> = {
  partitions: 1,
  syncWrites: false,
  storageReserveBytes: 256 * 1024 * 1024,
  ...hostMemory(memoryShares()),
  commitIntervalMs: 200,
  cleaningIntervalMs: 5 * 60_000,
  runs: true,
  replays: true,
};
