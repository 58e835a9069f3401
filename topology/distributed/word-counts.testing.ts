import { setTimeout as sleep } from 'node:timers/promises';
import { partitionForKey, type Log } from '../../log/index.ts';
import { int64Serde, stringSerde } from '../../schemas/index.ts';
import { createGroupCommit, createMemoryEngine, type Engine } from '../../state/index.ts';
import { StreamsBuilder } from '../dsl/streams-builder.ts';
import type { Topology } from '../topology.ts';
import { DistributedRuntime, type DistributedConfig, type DistributedOptions } from './distributed-runtime.ts';

/**
 * Lines in, counts of their words out, with a repartition topic between: what it sends for a word is 1, 2, 3 … exactly when every
 * line counts once and no update is lost or sent again.
 */
export const partitions = 4;

export function wordCounts(): Topology {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('lines')
    .flatMapValues((line) => line.split(' '))
    .groupBy((_, word) => word)
    .count({ name: 'count', store: 'counts' })
    .toStream()
    .to('counts', { keySerde: stringSerde, valueSerde: int64Serde });
  return builder.build();
}

/** Small times, so that a test waits for little. */
export const quick: Partial<DistributedConfig> = { commitIntervalMs: 20, pollIntervalMs: 5, reopenDelayMs: 300 };

export class Instance implements AsyncDisposable {
  readonly runtime: DistributedRuntime;
  readonly engine: Engine;
  readonly restored: string[] = [];

  static async start(log: Log, applicationId: string, given: Partial<DistributedOptions> = {}): Promise<Instance> {
    const engine = given.engine ?? createMemoryEngine();
    const holder: { instance?: Instance } = {};
    const runtime = await DistributedRuntime.open({
      topology: wordCounts(),
      applicationId,
      log,
      engine,
      commits: createGroupCommit(engine),
      topics: { lines: partitions, counts: partitions },
      config: quick,
      onRestore: ({ topic, partition, records, full }) =>
        holder.instance?.restored.push(`${topic}/${partition} ${full ? 'full' : 'tail'} ${records}`),
      ...given,
    });
    holder.instance = new Instance(runtime, engine);
    await runtime.start();
    return holder.instance;
  }

  private constructor(runtime: DistributedRuntime, engine: Engine) {
    this.runtime = runtime;
    this.engine = engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.stop();
  }
}

/** The words of line `n`, the same at every run: a few that are common, many that are not. */
export function line(n: number): string {
  const words = [`common${n % 3}`, `word${(n * 7919) % 101}`, `word${(n * 104_729) % 57}`];
  return words.slice(0, 1 + (n % 3)).join(' ');
}

export async function produceLines(log: Log, from: number, to: number): Promise<void> {
  const parts = Array.from(
    { length: partitions },
    (): { key: Uint8Array; value: Uint8Array; timestamp: number }[] => [],
  );
  for (let n = from; n < to; n++) {
    const key = Buffer.from(`line ${n}`);
    parts[partitionForKey(key, partitions)]!.push({ key, value: Buffer.from(line(n)), timestamp: n });
  }
  await Promise.all(parts.map((records, partition) => log.produce({ topic: 'lines', partition }, records)));
}

export function expectedCounts(lines: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let n = 0; n < lines; n++) for (const word of line(n).split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** What was sent for each word, in the order of its partition: as far as it has read. */
class SentCounts {
  readonly updates = new Map<string, number[]>();
  count = 0;
  readonly #log: Log;
  readonly #topic: string;
  readonly #offsets = Array.from({ length: partitions }, () => 0);

  constructor(log: Log, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  async readOn(): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const of = { topic: this.#topic, partition };
      const end = await this.#log.listOffsets(of, 'latest');
      while (this.#offsets[partition]! < end) {
        const limits = { maxRecords: 10_000, maxBytes: 1 << 20 };
        const { records, nextOffset } = await this.#log.read(of, this.#offsets[partition]!, limits);
        for (const { key, value } of records) this.#take(Buffer.from(key!).toString(), int64Serde.deserialize(value!));
        this.#offsets[partition] = nextOffset;
      }
    }
  }

  #take(word: string, update: number): void {
    const updates = this.updates.get(word);
    if (updates === undefined) this.updates.set(word, [update]);
    else updates.push(update);
    this.count += 1;
  }
}

/** What was sent by now. */
export async function sentCounts(log: Log, topic = 'counts'): Promise<Map<string, number[]>> {
  const sent = new SentCounts(log, topic);
  await sent.readOn();
  return sent.updates;
}

/** Waits until as many updates were sent as there are words in the lines; what is sent then. */
export async function allSent(
  log: Log,
  lines: number,
  patienceMs = 30_000,
  topic = 'counts',
): Promise<Map<string, number[]>> {
  const wanted = [...expectedCounts(lines).values()].reduce((sum, count) => sum + count, 0);
  const sent = new SentCounts(log, topic);
  for (const deadline = Date.now() + patienceMs; ; await sleep(20)) {
    await sent.readOn();
    if (sent.count >= wanted || Date.now() > deadline) return sent.updates;
  }
}

/** Every word's updates, if each line counts once. */
export function expectedUpdates(lines: number): Map<string, number[]> {
  return new Map(
    [...expectedCounts(lines)].map(([word, count]) => [word, Array.from({ length: count }, (_, i) => i + 1)]),
  );
}
