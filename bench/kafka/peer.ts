import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * A program that runs the shop's topology on Kafka, and is measured in a process of its own. It says `ready` when it is loaded, and
 * obeys a line each on standard input: `start` (says `started` when it processes), `dump FILE` (the final state, as
 * state-dump.ts reads it; says `dumped`), `stop` (ends).
 */
export interface Peer {
  readonly name: string;
  /** Of the programs that are compared, the tables of models/recompute that it keeps. */
  readonly tables: readonly string[];
  command(run: PeerRun): PeerCommand;
}

export interface PeerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface PeerRun {
  readonly brokers: string;
  /** Of Confluent's REST API. */
  readonly registryUrl: string;
  readonly applicationId: string;
  /** For its stores. */
  readonly folder: string;
  readonly partitions: number;
  readonly commitIntervalMs: number;
}

export class PeerProcess implements AsyncDisposable {
  /** What it said when it was ready: its settings. */
  settings = '';
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown[]>;
  #complaints = '';

  static async open(peer: Peer, run: PeerRun): Promise<PeerProcess> {
    const opened = new PeerProcess(peer, run);
    opened.settings = await opened.#hears('ready');
    return opened;
  }

  private constructor(peer: Peer, run: PeerRun) {
    const { file, args, environment } = peer.command(run);
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    this.#exit = once(this.#child, 'exit');
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-20_000);
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async start(): Promise<void> {
    this.#child.stdin!.write('start\n');
    await this.#hears('started');
  }

  async dump(file: string): Promise<void> {
    this.#child.stdin!.write(`dump ${file}\n`);
    await this.#hears('dumped');
  }

  /** Rejects when the process ends; never resolves. */
  async ended(): Promise<never> {
    const [code] = await this.#exit;
    throw new Error(`The process ended with ${String(code)}: ${this.#complaints}`);
  }

  /** User and system time of all its threads so far, and its memory: Linux's /proc. */
  usage(): { readonly cpuSeconds: number; readonly peakBytes: number } {
    return processUsage(this.#child.pid as number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin!.end('stop\n');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 60_000);
    await this.#exit;
    clearTimeout(killer);
  }

  /** What follows the word on its line. */
  async #hears(word: string): Promise<string> {
    for (;;) {
      const { value, done } = await Promise.race([this.#lines.next(), this.ended()]);
      if (done === true) return await this.ended();
      if (value === word || value.startsWith(`${word} `)) return value.slice(word.length + 1);
    }
  }
}

export function processUsage(pid: number): { readonly cpuSeconds: number; readonly peakBytes: number } {
  // The name of the program, which comes second, may hold spaces: fields are counted behind it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const peakKib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1];
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, peakBytes: Number(peakKib) * 1024 };
}

/** Of Linux, on every processor that Node runs on. */
const ticksPerSecond = 100;
