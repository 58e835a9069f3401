import { setTimeout as sleep } from 'node:timers/promises';
import { isMillraceError, type ErrorCode } from '../../schemas/errors.ts';
import type { AssignedTask, DistributedEnvironment } from './environment.ts';
import { StandbyTask } from './standby-task.ts';

/**
 * The standby tasks of an instance, in a loop of their own beside the tasks that run. Every turn of it begins and ends what has to be
 * by then, whatever has happened in between: what was shared out to this instance, and is not open here.
 */
export class Standbys {
  readonly #environment: DistributedEnvironment;
  readonly #options: StandbyOptions;
  readonly #tasks = new Map<string, StandbyTask>();
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(environment: DistributedEnvironment, options: StandbyOptions) {
    this.#environment = environment;
    this.#options = options;
  }

  start(): void {
    this.#running = this.#loop().catch((error: unknown) => this.#options.onFailure(error));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  tasks(): ReadonlyMap<string, StandbyTask> {
    return this.#tasks;
  }

  /** Of a task that is going to be opened: when it resolves, nobody writes its state but who opens it. */
  async release(id: string): Promise<void> {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    if (task === undefined) return;
    await task.close();
    this.#options.onReleased(id);
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      const before = this.#options.wanted();
      for (const id of this.#tasks.keys()) if (!before.has(id)) await this.release(id);
      // Asked again: while one was released, another may have been opened.
      for (const [id, task] of this.#options.wanted()) {
        if (!this.#tasks.has(id)) this.#tasks.set(id, new StandbyTask(this.#environment, task));
      }
      const worked = await Promise.all([...this.#tasks].map(([id, task]) => this.#follow(id, task)));
      this.#options.onTurn();
      if (!worked.includes(true)) await sleep(this.#options.pollIntervalMs);
    }
    for (const id of this.#tasks.keys()) await this.release(id);
  }

  async #follow(id: string, task: StandbyTask): Promise<boolean> {
    try {
      return await task.follow();
    } catch (error) {
      if (!isMillraceError(error) || !passing.has(error.code)) throw error;
      this.#environment.metrics.counter('standby-failures', { task: id, code: error.code }).value += 1;
      await sleep(this.#options.retryMs);
      return false;
    }
  }
}

export interface StandbyOptions {
  /** What should be followed now. */
  readonly wanted: () => ReadonlyMap<string, AssignedTask>;
  /** How often changelogs that had nothing are asked again. */
  readonly pollIntervalMs: number;
  readonly retryMs: number;
  /** They have come further. */
  readonly onTurn: () => void;
  /** One is followed no more. */
  readonly onReleased: (id: string) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Brokers are away; or the changelog is not what it was: then the state begins anew. */
const passing = new Set<ErrorCode>(['KAFKA_UNREACHABLE', 'KAFKA_FAILED', 'OFFSET_OUT_OF_RANGE']);
