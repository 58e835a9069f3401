import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { uniqueName } from '../../../log/conformance/support.ts';
import { openKafkaLog, type Log } from '../../../log/index.ts';
import { startKafka } from '../../../scripts/kafka/broker.ts';
import type { KeyValueStore, ValueAndTimestamp } from '../../../state/index.ts';
import {
  allSent,
  expectedCounts,
  expectedUpdates,
  Instance,
  partitions,
  produceLines,
} from '../../../topology/distributed/word-counts.testing.ts';
import { describeWithKafka } from '../real-kafka.ts';
import { CuttingProxy } from './cutting-proxy.ts';

/**
 * Words are counted by three processes on a real broker, while they are killed and paused, the broker is killed, and connections
 * are lost around the ends of transactions. Every line has to count once, in what was sent as in what the changelogs hold.
 * `npm run chaos` does more of each than the small run (`MILLRACE_CHAOS=small npm run chaos`).
 */
const full = process.env['MILLRACE_CHAOS'] === 'full';
const amount = full
  ? { lines: 300_000, kills: 20, cuts: 24, pauses: 2, brokerKills: 2 }
  : { lines: 40_000, kills: 4, cuts: 6, pauses: 1, brokerKills: 1 };
const instances = 3;
const faultEveryMs = 5000;
const instanceScript = fileURLToPath(new URL('instance.ts', import.meta.url));

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describeWithKafka('chaos on a real broker', () => {
  it('every line counts once', { timeout: 30 * 60_000 }, async () => {
    await using proxy = await CuttingProxy.open();
    await using broker = await startKafka({
      overrides: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` },
    });
    proxy.to(Number(broker.address.split(':')[1]));
    const address = `127.0.0.1:${proxy.port}`;
    const applicationId = uniqueName('words');
    await using log = await openKafkaLog({ brokers: [address], requestTimeoutMs: 5000, retryMs: 120_000 });
    await log.createTopics(['lines', 'counts'].map((name) => ({ name, partitions })));

    let lines = 0;
    const running = Array.from({ length: instances }, () => new ChildInstance(address, applicationId));
    try {
      const faults = shuffled([
        ...Array.from({ length: amount.kills }, (): Fault => 'kill'),
        ...Array.from({ length: amount.cuts }, (_, n): Fault => (n % 2 === 0 ? 'request-lost' : 'answer-lost')),
        ...Array.from({ length: amount.pauses }, (): Fault => 'pause'),
        ...Array.from({ length: amount.brokerKills }, (): Fault => 'broker-kill'),
      ]);
      for (const instance of running) await instance.started;
      // Lines come as long as things go wrong.
      let goesWrong = true;
      const producing = produceSteadily(log, () => goesWrong, faults.length * faultEveryMs);
      for (const [at, fault] of faults.entries()) {
        const next = sleep(faultEveryMs);
        const instance = running[at % instances]!;
        if (fault === 'kill') await instance.killAndStart(at % 5 === 4);
        else if (fault === 'pause') await instance.pause(8000);
        else if (fault === 'broker-kill') await broker.restart();
        else proxy.plan(fault);
        await next;
      }
      goesWrong = false;
      lines = await producing;
      const sent = await allSent(log, lines, 5 * 60_000);
      for (const instance of running) expect(instance.failures).toEqual([]);
      const wrong = differences(sent, expectedUpdates(lines));
      if (wrong.length > 0) for (const { seen, tasks } of running) console.log(JSON.stringify({ ...seen, tasks }));
      expect(wrong).toEqual([]);
      expect(proxy.planned).toBe(0);
      report(lines, running, proxy);
    } finally {
      for (const instance of running) await instance.kill();
    }

    // What the changelogs hold, restored into an empty folder.
    await using last = await Instance.start(log, applicationId);
    while (last.runtime.tasks.running.length < 2 * partitions) await sleep(100);
    expect(await storedCounts(last)).toEqual(expectedCounts(lines));
  });
});

type Fault = 'kill' | 'pause' | 'broker-kill' | 'request-lost' | 'answer-lost';

/** An instance in a process of its own, over a folder that outlives it. */
class ChildInstance {
  readonly failures: string[] = [];
  readonly seen: Record<string, number> = {};
  /** What it said last of its tasks. */
  tasks: unknown;
  /** Of the process that runs now. */
  started: Promise<void> = Promise.resolve();
  #isStarted: () => void = () => undefined;
  readonly #address: string;
  readonly #applicationId: string;
  #folder = newFolder();
  #child: ChildProcess;
  #killed = false;

  constructor(address: string, applicationId: string) {
    this.#address = address;
    this.#applicationId = applicationId;
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
    const args = [
      '--import',
      import.meta.resolve('tsx'),
      instanceScript,
      this.#address,
      this.#applicationId,
      this.#folder,
    ];
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

/** Words whose updates are not 1, 2, 3 …: what is there and should not be, and what is not. */
function differences(sent: ReadonlyMap<string, number[]>, expected: ReadonlyMap<string, number[]>): string[] {
  return [...expected].flatMap(([word, updates]) => {
    const found = sent.get(word) ?? [];
    if (found.length === updates.length && found.every((update, at) => update === updates[at])) return [];
    const at = found.findIndex((update, place) => update !== updates[place]);
    return `${word}: ${found.length} of ${updates.length}, … ${found.slice(Math.max(0, at - 3), at + 4).join(' ')} …`;
  });
}

/** So many lines in about so long, and on for as long as things go wrong. How many it was. */
async function produceSteadily(log: Log, goesWrong: () => boolean, forMs: number): Promise<number> {
  const step = 200;
  const begun = performance.now();
  let from = 0;
  for (; from < amount.lines || goesWrong(); from += step) {
    await produceLines(log, from, from + step);
    await sleep(Math.max(0, begun + (forMs * from) / amount.lines - performance.now()));
  }
  return from;
}

async function storedCounts({ runtime }: Instance): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const store of runtime.stores('counts')) {
    const rows = (store as KeyValueStore<string, ValueAndTimestamp<number>>).committedRange();
    for await (const [word, { value }] of rows) counts.set(word, value);
  }
  return counts;
}

function report(lines: number, running: readonly ChildInstance[], proxy: CuttingProxy): void {
  const seen: Record<string, number> = {};
  for (const instance of running) {
    for (const [what, count] of Object.entries(instance.seen)) seen[what] = (seen[what] ?? 0) + count;
  }
  console.log(`${lines} lines; cuts ${JSON.stringify(proxy.cuts)}; instances said ${JSON.stringify(seen, null, 1)}`);
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  folders.push(folder);
  return join(folder, 'data');
}

/** Always in the same order. */
function shuffled<T>(items: readonly T[]): T[] {
  let seed = 42;
  const random = () => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
