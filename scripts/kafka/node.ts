import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { endByPid } from '../java-server.ts';
import { accepts } from '../ports.ts';

export interface NodePlan {
  readonly id: number;
  /** Where clients come in. */
  readonly port: number;
  readonly classpath: string;
  /** The path of its server.properties. */
  readonly config: string;
  readonly logFile: string;
}

/** One process of a Kafka cluster, over a folder that outlives it. */
export class KafkaNode {
  readonly id: number;
  /** `127.0.0.1:port`, for a client's list of brokers. */
  readonly address: string;
  /** What it printed since it was started last. */
  readonly logFile: string;
  readonly #plan: NodePlan;
  #child: ChildProcess | undefined;

  constructor(plan: NodePlan) {
    this.id = plan.id;
    this.address = `127.0.0.1:${plan.port}`;
    this.logFile = plan.logFile;
    this.#plan = plan;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`Broker ${this.id} has not been started`);
    return this.#child.pid;
  }

  /** Resolves when clients can connect. Of several nodes none is ready before most of them have begun. */
  async start(): Promise<void> {
    const { port, classpath, config } = this.#plan;
    const child = spawn('java', ['-Xms256m', '-Xmx512m', '-cp', classpath, 'kafka.Kafka', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const log = createWriteStream(this.logFile);
    await once(log, 'open');
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    for (const deadline = Date.now() + startMsMax; Date.now() < deadline; await sleep(200)) {
      const output = await readFile(this.logFile, 'utf8');
      if (child.exitCode !== null) throw new Error(`Kafka ended with code ${child.exitCode}:\n${output.slice(-2000)}`);
      if (output.includes('Kafka Server started') && (await accepts(port))) return;
    }
    throw new Error(`Kafka did not start within ${startMsMax / 1000} s; see ${this.logFile}`);
  }

  /** `SIGKILL`: as if the machine were gone. `SIGTERM`: it hands over first. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child !== undefined) await endByPid(this.#child, signal);
  }
}

const startMsMax = 90_000;
