/**
 * The whole shop topology in replay, beside the floor under it.
 *
 *     npx tsx bench/replay/index.ts [rounds = 5] [partitions = 1]
 *
 * Input: both years of UCI Online Retail in the topic `interactions`, about 1.06 M events. Measured: from the first poll
 * to everything committed, all stores and lists kept. The floor (measure-floor.ts): reading and decoding the same log
 * and writing the final state once in bulk, the best of three batch sizes; so wasted bytes don't flatter the ratio.
 * Each run is a process of its own on a fresh copy of the folder, with the young generation that the host thread has;
 * topology and floor take turns, in alternating order. Last, one run under the profiler: self time by folder.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median, spread } from '../support/spread.ts';
import { fillFolder } from './folder.ts';
import { selfTimes } from './profile.ts';

const run = promisify(execFile);
const rounds = Number(process.argv[2] ?? 5);
const partitions = process.argv[3] ?? '1';
const batchSizes = ['1000', '10000', '100000'];
const work = await mkdtemp(join(tmpdir(), 'millrace-bench-replay-'));
const filled = join(work, 'filled');
const finished = join(work, 'finished');

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
}
interface TopologyRun extends Run {
  readonly bytesWritten: number;
  readonly rssBytes: number;
  readonly commits: number;
}
interface FloorRun extends Run {
  readonly readSeconds: number;
  readonly rows: number;
  readonly bytes: number;
}

try {
  const events = await fillFolder(filled, Number(partitions));
  print(
    `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; ${rounds} rounds, semi-space 64 MB`,
  );
  print(`${events} events, ${partitions} partition(s)`);
  await cp(filled, finished, { recursive: true });
  await child<TopologyRun>('measure-topology.ts', [finished, partitions]);

  const topology: TopologyRun[] = [];
  const floors = new Map<string, FloorRun[]>(batchSizes.map((size) => [size, []]));
  for (let round = 0; round < rounds; round++) {
    const steps = [
      async () => topology.push(await onCopy<TopologyRun>('measure-topology.ts', [])),
      async () => {
        for (const size of batchSizes)
          floors.get(size)!.push(await onCopy<FloorRun>('measure-floor.ts', [finished], [size]));
      },
    ];
    for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step();
    print(`round ${round + 1}: topology ${rate(events, topology.at(-1)!)} events/s`);
  }
  report(events, topology, floors);
  await profile();
} finally {
  await rm(work, { recursive: true });
}

function report(
  events: number,
  topology: readonly TopologyRun[],
  floors: ReadonlyMap<string, readonly FloorRun[]>,
): void {
  const of = (runs: readonly Run[]) => runs.map(({ seconds }) => events / seconds);
  const perCpu = (runs: readonly Run[]) => runs.map(({ cpuSeconds }) => events / cpuSeconds);
  print('');
  print(`topology              ${spread(of(topology))} events/s`);
  print(`  per CPU second      ${spread(perCpu(topology))} events (all threads)`);
  const { commits, bytesWritten, rssBytes } = topology.at(-1)!;
  print(`  ${commits} commits, ${megabytes(bytesWritten)} written, ${megabytes(rssBytes)} resident at the end`);
  for (const [size, runs] of floors) print(`floor, ${size.padStart(6)} rows   ${spread(of(runs))} events/s`);
  const [bestSize, best] = [...floors].toSorted(([, a], [, b]) => median(of(b)) - median(of(a)))[0]!;
  const { rows, bytes, readSeconds, seconds } = best.at(-1)!;
  print(
    `  best: ${bestSize} rows a batch; ${rows} rows, ${megabytes(bytes)}; reading ${((100 * readSeconds) / seconds).toFixed(0)} % of it`,
  );
  const shares = topology.map(({ seconds: ours }, round) => (100 * best[round]!.seconds) / ours);
  print(`share of the floor    ${spread(shares, 1)} %`);
}

async function profile(): Promise<void> {
  const folder = join(work, 'profile');
  await onCopy('measure-topology.ts', [], [], ['--cpu-prof', '--cpu-prof-interval=1000', `--cpu-prof-dir=${folder}`]);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'));
  const profiles = await Promise.all(
    files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as unknown),
  );
  print("\nwhere the time goes (self time of the topology's thread)");
  for (const { place, share } of selfTimes(profiles)) print(`  ${(100 * share).toFixed(1).padStart(5)} %  ${place}`);
}

async function onCopy<R>(
  script: string,
  before: readonly string[],
  after: readonly string[] = [],
  flags: readonly string[] = [],
) {
  const folder = join(work, 'run');
  await cp(filled, folder, { recursive: true });
  try {
    return await child<R>(script, [folder, ...before, partitions, ...after], flags);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function child<R>(script: string, args: readonly string[], flags: readonly string[] = []): Promise<R> {
  const path = new URL(script, import.meta.url).pathname;
  const { stdout } = await run(process.execPath, [
    '--max-semi-space-size=64',
    ...flags,
    '--import',
    'tsx/esm',
    path,
    ...args,
  ]);
  return JSON.parse(stdout) as R;
}

function rate(events: number, { seconds }: Run): string {
  return Math.round(events / seconds).toLocaleString('en');
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
