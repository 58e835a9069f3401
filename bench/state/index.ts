/**
 * What a growing state costs: events, memory, and the time to serve again after SIGKILL.
 *
 *     npm run build && npm run bench:state -- [--pairs 100000,1000000,10000000] [--products 1426337] [--users 1000000]
 *                                             [--events 100000] [--memory 1024] [--port 4810]
 *
 * A catalogue is loaded, then generated interactions are posted to a server over HTTP until there are so many pair rows; at
 * each size, in this order:
 *
 * | measured     | how                                                                                              |
 * |--------------|--------------------------------------------------------------------------------------------------|
 * | cost         | the next `events` events, from the first request until the topology has processed the last one   |
 * | CPU          | user and system time of the server's process in between, beside what it is at the first size     |
 * | memory       | resident, all threads: peak and median while filling, while measuring, and while look-ups come   |
 * | start        | SIGKILL, then from the spawn of the built command to `GET /health/ready`, to a first product and  |
 * |              | to first recommendations, taking turns with starts in an empty folder; median and spread of five  |
 *
 * The server runs with the defaults that users get. Linux only: what is resident is read from /proc.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, spread } from '../support/spread.ts';
import { Server, type ResidentMiB } from './server.ts';
import { countPairs, interactions, loadCatalogue, writeCatalogue } from './shop.ts';
import { Traffic } from './traffic.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '100000,1000000,10000000' },
    products: { type: 'string', default: '1426337' },
    users: { type: 'string', default: '1000000' },
    events: { type: 'string', default: '100000' },
    memory: { type: 'string', default: '1024' },
    port: { type: 'string', default: '4810' },
  },
});
const sizes = values.pairs.split(',').map(Number);
const measuredEvents = Number(values.events);
const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-state-'));
const dataDir = join(folder, 'data');
const settings = { dataDir, port: Number(values.port), memoryMiB: Number(values.memory) };
const starts = 5;
/** A guess, too low: what is missing is sent when it has been counted. */
const pairsPerEventAtFirst = 10;

interface Measured {
  readonly pairs: number;
  readonly events: number;
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly filling: ResidentMiB;
  readonly measuring: ResidentMiB;
  readonly lookingUp: ResidentMiB;
  readonly lookUpMs: readonly number[];
  readonly starts: readonly Start[];
}

/** ms from the spawn. */
interface Start {
  /** In a folder that was not there. */
  readonly empty: number;
  readonly ready: number;
  /** Of all threads, until it was ready. */
  readonly cpu: number;
  readonly emptyCpu: number;
  readonly product: number;
  readonly list: number;
}

try {
  const load = loadavg()[0]!.toFixed(1);
  print(`Node ${process.version}, ${availableParallelism()} cores, load ${load}; --memory ${values.memory}`);
  const catalogue = await writeCatalogue(folder, Number(values.products));
  await loadCatalogue(catalogue, dataDir);
  print(`${values.products} products, ${values.users} users`);
  const traffic = new Traffic(interactions(catalogue, Number(values.users)));
  const measured: Measured[] = [];
  for (const size of sizes) {
    const { filling, pairs } = await fill(traffic, size);
    const { events } = traffic;
    measured.push({ pairs, events, filling, ...(await measure(traffic)), starts: await startAgain(traffic) });
    print(`${count(pairs)} pairs measured, load ${loadavg()[0]!.toFixed(1)}`);
  }
  report(measured);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Sends what is missing by the pairs an event made so far, and counts again. */
async function fill(traffic: Traffic, size: number): Promise<{ filling: ResidentMiB; pairs: number }> {
  let filling: ResidentMiB = { peak: 0, median: 0 };
  for (let pairs = await countPairs(dataDir); ; pairs = await countPairs(dataDir)) {
    print(`  ${count(traffic.events)} events, ${count(pairs)} pairs`);
    if (pairs >= size) return { filling, pairs };
    await using server = new Server(settings);
    await server.msUntil('/health/ready');
    const perEvent = pairs === 0 ? pairsPerEventAtFirst : pairs / traffic.events;
    await traffic.send(server, Math.ceil(((size - pairs) / perEvent) * 1.02) + 1000);
    const { peak, median: usual } = server.resident();
    filling = { peak: Math.max(peak, filling.peak), median: Math.max(usual, filling.median) };
  }
}

async function measure(traffic: Traffic) {
  await using server = new Server(settings);
  await server.msUntil('/health/ready');
  await traffic.send(server, measuredEvents); // So that code is compiled and caches are filled.
  server.resident();
  const cpuSeconds = server.cpuSeconds();
  const beginMs = performance.now();
  await traffic.send(server, measuredEvents);
  const perSecond = measuredEvents / ((performance.now() - beginMs) / 1000);
  const cpuMs = ((server.cpuSeconds() - cpuSeconds) * 1000) / measuredEvents;
  const measuring = server.resident();
  const lookUpMs: number[] = [];
  for (const id of traffic.products) {
    const askedMs = performance.now();
    await server.get(`/v1/products/${id}/similar`);
    lookUpMs.push(performance.now() - askedMs);
  }
  return { perSecond, cpuMs, measuring, lookingUp: server.resident(), lookUpMs };
}

/** The server before was killed, this one is, and so on. */
async function startAgain({ products: [id] }: Traffic): Promise<Start[]> {
  const times: Start[] = [];
  for (let round = 0; round < starts; round += 1) {
    const { ms: empty, cpuMs: emptyCpu } = await emptyStart();
    await using server = new Server(settings);
    const ready = await server.msUntil('/health/ready');
    const cpu = server.cpuSeconds() * 1000;
    const product = await server.msUntil(`/v1/products/${id}`);
    times.push({ empty, emptyCpu, ready, cpu, product, list: await server.msUntil(`/v1/products/${id}/similar`) });
  }
  return times;
}

async function emptyStart(): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const fresh = join(folder, 'empty');
  await rm(fresh, { recursive: true, force: true });
  await using server = new Server({ ...settings, dataDir: fresh });
  return { ms: await server.msUntil('/health/ready'), cpuMs: server.cpuSeconds() * 1000 };
}

function report(measured: readonly Measured[]): void {
  const [first] = measured;
  const line = (what: string, of: (size: Measured) => string) =>
    print(what.padEnd(34) + measured.map((size) => of(size).padStart(24)).join(''));
  const resident = ({ peak, median: usual }: ResidentMiB) => `${count(peak)} (${count(usual)}) MiB`;
  print('');
  line('pairs', ({ pairs }) => count(pairs));
  line('events before', ({ events }) => count(events));
  line('events/s', ({ perSecond }) => count(perSecond));
  line('CPU an event', ({ cpuMs }) => `${cpuMs.toFixed(3)} ms`);
  line('  of the first size', ({ cpuMs }) => (cpuMs / first!.cpuMs).toFixed(2));
  line('time an event, of the first size', ({ perSecond }) => (first!.perSecond / perSecond).toFixed(2));
  line('resident, filling: peak (median)', ({ filling }) => resident(filling));
  line('  measuring', ({ measuring }) => resident(measuring));
  line('  look-ups', ({ lookingUp }) => resident(lookingUp));
  line('look-up, computed: p50', ({ lookUpMs }) => `${median(lookUpMs).toFixed(1)} ms`);
  line('  p99', ({ lookUpMs }) => `${quantile(lookUpMs, 0.99).toFixed(1)} ms`);
  line('ready, empty folder', (size) => `${spread(size.starts.map(({ empty }) => empty))} ms`);
  line('  CPU of all threads', (size) => `${spread(size.starts.map(({ emptyCpu }) => emptyCpu))} ms`);
  line('ready after SIGKILL', (size) => `${spread(size.starts.map(({ ready }) => ready))} ms`);
  line('  CPU of all threads', (size) => `${spread(size.starts.map(({ cpu }) => cpu))} ms`);
  line('  first product', (size) => `${spread(size.starts.map(({ product }) => product))} ms`);
  line('  first recommendations', (size) => `${spread(size.starts.map(({ list }) => list))} ms`);
}

function quantile(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * part)]!;
}

function count(of: number): string {
  return Math.round(of).toLocaleString('en');
}

function print(text: string): void {
  process.stdout.write(`${text}
`);
}
