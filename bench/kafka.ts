/**
 * The shop on Apache Kafka, exactly once: Millrace beside a Java Kafka Streams program of the same topology; and a part of the shop
 * beside a program on @kafkats/flow.
 *
 *     npm run bench:kafka -- [--rounds 3] [--partitions 4] [--commit-interval 100] [--events FILE] [--limit N]
 *                            [--contest shop|part] [--only java|flow|millrace]
 *
 * Same broker, same input topic, same run; the peers take turns, each in a process of its own over an empty folder. Measured is from
 * the order to start until everything is processed and committed, in every topic between the tasks too: events/s, and events per
 * CPU-second, user and system, of the peer's process. The first final state of each is held against the recomputation
 * (models/recompute, DuckDB) row by row, in the tables that both keep. Input: both years of UCI Online Retail, or events as NDJSON
 * (`millrace generate`). Needs Java 17 and Maven, and npm for @kafkats/flow.
 *
 * The Java program (bench/peers/java) keeps what it is compared in, and `events-seen` and `sessions` behind it. Millrace runs the
 * whole shop: unique users, titles and their words, the catalogue and all that is kept by category besides. @kafkats/flow
 * (bench/peers/flow) can express cleansing and product statistics; Millrace runs just these beside it (bench/kafka/part-topology.ts).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openKafkaLog } from '../log/index.ts';
import { formatComparison, recomputeLog } from '../models/recompute/index.ts';
import { confluentRegistry } from '../schemas/index.ts';
import { startKafka } from '../scripts/kafka/broker.ts';
import { startRegistry } from '../scripts/registry/registry.ts';
import { fillInput, inputEvents } from './kafka/input.ts';
import { flowPeer } from './kafka/flow-peer.ts';
import { javaPeer } from './kafka/java-peer.ts';
import { millracePartPeer, millracePeer } from './kafka/millrace-peer.ts';
import { measure, type Course, type Run } from './kafka/measure.ts';
import type { Peer } from './kafka/peer.ts';
import { compareDump } from './kafka/state-dump.ts';
import { spread } from './support/spread.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    partitions: { type: 'string', default: '4' },
    'commit-interval': { type: 'string', default: '100' },
    heap: { type: 'string', default: '1024' },
    events: { type: 'string' },
    limit: { type: 'string' },
    contest: { type: 'string' },
    only: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const partitions = Number(values.partitions);
const commitIntervalMs = Number(values['commit-interval']);

const work = await mkdtemp(join(tmpdir(), 'millrace-bench-kafka-'));
try {
  await using broker = await startKafka();
  await using server = await startRegistry();
  await using log = await openKafkaLog({ brokers: [broker.address] });
  const course: Course = { log, broker, registryUrl: server.url, work, partitions, commitIntervalMs };
  const input = { log, registry: confluentRegistry({ url: server.url }), partitions };
  const contests: readonly Contest[] = [
    { name: 'shop', rival: () => javaPeer(join(work, 'java'), Number(values.heap)), ours: millracePeer },
    { name: 'part', rival: () => flowPeer(join(work, 'flow')), ours: millracePartPeer },
  ];
  const events = await fillInput(input, {
    file: values.events,
    limit: values.limit === undefined ? undefined : Number(values.limit),
  });
  print(`Kafka ${broker.version}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`);
  print(`${events.toLocaleString('en')} events, ${partitions} partitions, a commit every ${commitIntervalMs} ms`);

  const expected = await recomputeLog(inputEvents(input));

  for (const { name, rival, ours } of contests.filter((each) => each.name.includes(values.contest ?? ''))) {
    const both = [await rival(), ours];
    const peers = both.filter((peer) => peer.name.toLowerCase().includes(values.only ?? ''));
    const runs = new Map(peers.map((peer) => [peer, [] as Run[]]));
    for (let round = 0; round < rounds; round++) {
      for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
        const dump = round === 0 ? join(work, 'state.ndjson') : undefined;
        const run = await measure(course, peer, {
          applicationId: `bench-${name}-${peers.indexOf(peer)}-${round}`,
          dump,
        });
        runs.get(peer)!.push(run);
        const rate = whole(events / run.seconds);
        print(`round ${round + 1}: ${peer.name}: ${rate} events/s, ${whole(events / run.cpuSeconds)} a CPU-second`);
        if (dump === undefined) continue;
        const comparison = await compareDump(dump, expected, peer.tables);
        print(`${run.settings}\n${formatComparison(comparison)}`);
        if (!comparison.equal) process.exitCode = 1;
      }
    }
    report(events, runs);
  }
} finally {
  await rm(work, { recursive: true, force: true });
}

interface Contest {
  readonly name: string;
  /** Built when it is its turn. */
  readonly rival: () => Promise<Peer>;
  readonly ours: Peer;
}

function report(events: number, runs: ReadonlyMap<Peer, readonly Run[]>): void {
  for (const [{ name }, of] of runs) {
    const line = (label: string, value: (run: Run) => number, digits = 0) =>
      print(`  ${label.padEnd(22)} ${spread(of.map(value), digits)}`);
    print(`\n${name}`);
    line('events/s', ({ seconds }) => events / seconds);
    line('events a CPU-second', ({ cpuSeconds }) => events / cpuSeconds);
    line('CPU-seconds', ({ cpuSeconds }) => cpuSeconds, 1);
    line('  the broker besides', ({ brokerCpuSeconds }) => brokerCpuSeconds, 1);
    line('peak memory, MiB', ({ peakBytes }) => peakBytes / 1024 ** 2);
    line('folder, MiB', ({ folderBytes }) => folderBytes / 1024 ** 2);
  }
  const [rival, ours] = [...runs.values()];
  if (rival === undefined || ours === undefined) return;
  const times = (of: (run: Run) => number) =>
    spread(
      ours.map((run, round) => of(rival[round]!) / of(run)),
      2,
    );
  const [name] = [...runs.keys()].map((peer) => peer.name);
  print(`\nMillrace / ${name}: ${times(({ cpuSeconds }) => cpuSeconds)} in events a CPU-second`);
  print(`  and ${times(({ seconds }) => seconds)} in events/s`);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
