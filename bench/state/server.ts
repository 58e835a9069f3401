import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
// @ts-expect-error The module is plain JavaScript, as all of scripts/ is.
import { allocatorEnvironment as allocator } from '../../scripts/allocator-environment.mjs';

const allocatorEnvironment = allocator as () => Record<string, string>;

/** The built command, as users run it. */
const bin = fileURLToPath(new URL('../../dist/cli/bin.mjs', import.meta.url));
const sampleEveryMs = 100;
const askEveryMs = 10;

export interface ServerSettings {
  readonly dataDir: string;
  readonly port: number;
  readonly memoryMiB: number;
}

/** What the kernel says of all threads together (Linux). */
export interface ResidentMiB {
  readonly peak: number;
  readonly median: number;
}

/** `millrace start` in a process of its own: asked over HTTP, watched through /proc, ended by SIGKILL. */
export class Server implements AsyncDisposable {
  readonly url: string;
  readonly spawnedAtMs = performance.now();
  readonly #child: ChildProcess;
  readonly #resident: number[] = [];
  readonly #sampling: NodeJS.Timeout;

  constructor({ dataDir, port, memoryMiB }: ServerSettings) {
    this.url = `http://127.0.0.1:${port}`;
    const args = ['start', '--data-dir', dataDir, '--port', `${port}`, '--memory', `${memoryMiB}`];
    const env = { ...process.env, ...allocatorEnvironment() };
    this.#child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#sampling = setInterval(() => {
      if (this.#child.exitCode === null) this.#resident.push(this.#status('VmRSS'));
    }, sampleEveryMs);
  }

  /** ms from the spawn until a request is answered with 200. */
  async msUntil(path: string): Promise<number> {
    while (!(await this.#isAnswered(path))) {
      if (this.#child.exitCode !== null) throw new Error(`The server ended with code ${this.#child.exitCode}`);
      await setTimeout(askEveryMs);
    }
    return performance.now() - this.spawnedAtMs;
  }

  async get<T>(path: string): Promise<{ readonly status: number; readonly body: T }> {
    const answer = await fetch(this.url + path);
    return { status: answer.status, body: (await answer.json()) as T };
  }

  /** Sends lines, again while the server is busy. */
  async post(lines: string): Promise<void> {
    for (;;) {
      const headers = { 'content-type': 'application/x-ndjson' };
      const answer = await fetch(`${this.url}/v1/events`, { method: 'POST', headers, body: lines });
      const text = await answer.text();
      if (answer.ok) return;
      if (answer.status !== 503) throw new Error(`POST /v1/events: ${answer.status} ${text}`);
      await setTimeout(100);
    }
  }

  async caughtUp(): Promise<void> {
    for (;;) {
      const { status, body } = await this.get<{ readonly lagRecords: number }>('/v1/overview');
      if (status === 200 && body.lagRecords === 0) return;
      await setTimeout(50);
    }
  }

  /** User and system time of all threads. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Since the last time it was asked. */
  resident(): ResidentMiB {
    const sorted = this.#resident.splice(0).toSorted((a, b) => a - b);
    const peak = this.#status('VmHWM');
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5'); // The peak begins anew.
    return { peak, median: sorted[sorted.length >> 1] ?? peak };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sampling);
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #isAnswered(path: string): Promise<boolean> {
    try {
      const answer = await fetch(this.url + path);
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  #status(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  }
}

const ticksPerSecond = 100;
