import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
// @ts-expect-error The module is plain JavaScript, as all of scripts/*.mjs is.
import { allocatorEnvironment as allocator } from '../../scripts/allocator-environment.mjs';

const allocatorEnvironment = allocator as () => Record<string, string>;

export interface InstanceSettings {
  readonly broker: string;
  readonly applicationId: string;
  /** Of the input. */
  readonly topic: string;
  readonly folder: string;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
  /** What has to be read before it counts as serving. */
  readonly last: { readonly key: string; readonly value: string } | null;
}

/** When, in ms from the spawn, and what it took. */
export interface Start {
  readonly openedMs: number;
  readonly assignedMs: number;
  readonly servingMs: number;
  /** Of changelogs of the store. */
  readonly restoredRecords: number;
  /** Partitions whose local state was of no use. */
  readonly fullRestores: number;
}

/** restart-child.ts in a process of its own, ended by SIGKILL. */
export class RestartInstance implements AsyncDisposable {
  readonly #spawnedAtMs = performance.now();
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  static readonly #running = new Set<RestartInstance>();

  static async killAll(): Promise<void> {
    for (const each of RestartInstance.#running) await each[Symbol.asyncDispose]();
  }

  constructor(settings: InstanceSettings) {
    const script = join(import.meta.dirname, 'restart-child.ts');
    this.#child = spawn(process.execPath, ['--import', 'tsx/esm', script, JSON.stringify(settings)], {
      env: { ...process.env, ...allocatorEnvironment() },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    RestartInstance.#running.add(this);
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async serving(): Promise<Start> {
    await this.#hears('opened');
    const openedMs = this.#ms();
    await this.#hears('assigned');
    const assignedMs = this.#ms();
    const { records, full } = JSON.parse(await this.#hears('serving')) as { records: number; full: number };
    return { openedMs, assignedMs, servingMs: this.#ms(), restoredRecords: records, fullRestores: full };
  }

  /** Resolves when everything is processed that the input has. */
  async caughtUp(): Promise<void> {
    await this.#ask('caught-up');
  }

  /** Number and digest of the rows of all tasks. */
  async rows(): Promise<string> {
    return await this.#ask('rows');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    RestartInstance.#running.delete(this);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ask(order: string): Promise<string> {
    this.#child.stdin!.write(`${order}\n`);
    return await this.#hears(order);
  }

  async #hears(word: string): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true || !(value === word || value.startsWith(`${word} `))) {
      throw new Error(`The process was to say '${word}', and ${done === true ? 'ended' : `said '${value}'`}`);
    }
    return value.slice(word.length + 1);
  }

  #ms(): number {
    return performance.now() - this.#spawnedAtMs;
  }
}
