import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * An instance in a process of its own, over a folder that outlives it. The script is called with the arguments and the folder, and
 * says a line of JSON of all that it does: `started` first.
 */
export class ChildInstance {
  readonly failures: string[] = [];
  readonly seen: Record<string, number> = {};
  /** What it said last of its tasks. */
  tasks: unknown;
  /** Of the process that runs now. */
  started: Promise<void> = Promise.resolve();
  #isStarted: () => void = () => undefined;
  readonly #script: string;
  readonly #arguments: readonly string[];
  #folder = newFolder();
  #child: ChildProcess;
  #killed = false;

  constructor(script: URL, args: readonly string[]) {
    this.#script = fileURLToPath(script);
    this.#arguments = args;
    this.#child = this.#start();
  }

  async killAndStart(withoutFolder: boolean): Promise<void> {
    await this.kill();
    if (withoutFolder) this.#folder = newFolder();
    this.#child = this.#start();
    await this.started;
  }

  async pause(ms: number): Promise<void> {
    this.#child.kill('SIGSTOP');
    await sleep(ms);
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#killed = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #start(): ChildProcess {
    this.#killed = false;
    this.started = new Promise((resolve) => (this.#isStarted = resolve));
    const args = ['--import', import.meta.resolve('tsx'), this.#script, ...this.#arguments, this.#folder];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.#hear(JSON.parse(line) as Record<string, unknown>);
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    child.on('exit', (code) => {
      this.#isStarted(); // Not: but nobody has to wait for it.
      if (!this.#killed) this.failures.push(`ended with ${code}: ${complaints.slice(-2000)}`);
    });
    return child;
  }

  #hear(said: Record<string, unknown>): void {
    if (said['started'] === true) this.#isStarted();
    if (said['tasks'] !== undefined) {
      this.tasks = said['tasks'];
      return;
    }
    if (said['failure'] !== undefined) this.failures.push(String(said['failure']));
    let what = Object.keys(said)[0]!;
    if (said['code'] !== undefined) what = `${what} ${String(said['code'])}`;
    if (what === 'restored') what = said['full'] === true ? 'restored in full' : 'restored the tail';
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  folders.push(folder);
  return join(folder, 'data');
}
