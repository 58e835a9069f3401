import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fillInput, inputEvents, type Input } from '../../bench/kafka/input.ts';
import { javaPeer } from '../../bench/kafka/java-peer.ts';
import { measure, type Course } from '../../bench/kafka/measure.ts';
import { millracePartPeer, millracePeer } from '../../bench/kafka/millrace-peer.ts';
import type { Peer } from '../../bench/kafka/peer.ts';
import { compareDump } from '../../bench/kafka/state-dump.ts';
import { openKafkaLog, type Log } from '../../log/index.ts';
import { formatComparison, recomputeLog } from '../../models/recompute/index.ts';
import { confluentRegistry, type Interaction } from '../../schemas/index.ts';
import { startRegistry, type SchemaRegistryServer } from '../../scripts/registry/registry.ts';
import { describeWithKafka, startedBroker } from './real-kafka.ts';

const partitions = 3;
const count = 6000;

/** What bench/kafka.ts compares does the same work: from the same events each reaches the state that recomputation reaches. */
describeWithKafka('a peer of the benchmark', () => {
  const broker = startedBroker();
  let work: string;
  let log: Log;
  let server: SchemaRegistryServer;
  let input: Input;
  let course: Course;
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'millrace-bench-peers-'));
    log = await openKafkaLog({ brokers: [broker().address] });
    server = await startRegistry();
    input = { log, registry: confluentRegistry({ url: server.url }), partitions };
    course = { log, broker: broker(), registryUrl: server.url, work, partitions, commitIntervalMs: 100 };
    const file = join(work, 'events.ndjson');
    await writeFile(
      file,
      interactions()
        .map((event) => `${JSON.stringify(event)}\n`)
        .join(''),
    );
    expect(await fillInput(input, { file })).toBe(count);
  }, 290_000);
  afterAll(async () => {
    await log?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await rm(work, { recursive: true, force: true });
  });

  const peers: readonly [string, () => Promise<Peer>][] = [
    ['Java', () => javaPeer(join(work, 'java'), 256)],
    ['Millrace', async () => millracePeer],
    ['Millrace, a part', async () => millracePartPeer],
  ];
  it.each(peers)('(%s) reaches the state of a recomputation', { timeout: 240_000 }, async (name, open) => {
    const peer = await open();
    const dump = join(work, `${name}.ndjson`);
    await measure(course, peer, { applicationId: `peer-${name.toLowerCase().replaceAll(/\W+/g, '-')}`, dump });
    const comparison = await compareDump(dump, await recomputeLog(inputEvents(input)), peer.tables);
    if (!comparison.equal) console.log(formatComparison(comparison));
    expect(comparison.equal).toBe(true);
    expect(comparison.tables.filter(({ same }) => same === 0)).toEqual([]);
  });
});

/** Every type, users with and without sessions, duplicates, late events, few products: so that all rules are met. */
function interactions(): Interaction[] {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below;
  const begin = Date.UTC(2024, 0, 1);
  const events: Interaction[] = [];
  for (let n = 0; n < count; n++) {
    if (random(20) === 0 && n > 0) {
      events.push(events[random(events.length)]!);
      continue;
    }
    const user = random(5) === 0 ? null : `u${random(60)}`;
    const session = user === null || random(3) === 0 ? `s${Math.floor(n / 200)}-${random(8)}` : null;
    events.push({
      eventId: `e${n}`,
      userId: user,
      sessionId: session,
      productId: random(40) === 0 ? 'POST' : `p${random(random(4) === 0 ? 300 : 25)}`,
      type: (['view', 'view', 'view', 'cart', 'purchase', 'return', 'favorite', 'remove', 'rating'] as const)[
        random(9)
      ]!,
      quantity: 1 + random(5),
      price: random(900_000),
      currency: null,
      timestamp: begin + n * 60_000 - random(4) * random(3_600_000),
      title: null,
      service: false,
    });
    const last = events.at(-1)!;
    if (last.productId === 'POST') events[events.length - 1] = { ...last, service: true };
  }
  return events;
}
