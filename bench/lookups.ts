/**
 * Look-ups over HTTP beside a bare fastify route that returns the same pre-serialised bytes, idle and during a full-speed
 * replay; and how long an event takes until it shows.
 *
 *     npx tsx bench/lookups.ts [rounds = 5] [seconds a round = 5] [seconds a round of the replay = 15]
 *                              [folder to keep the prepared state in]
 *
 * | measured   | how                                                                                          |
 * |------------|----------------------------------------------------------------------------------------------|
 * | latency    | open loop at 2,000 requests/s from a child process (bench/lookups-load.ts)                   |
 * | requests/s | closed loop, 32 connections, autocannon in its own process                                   |
 * | idle       | nothing is written: answers come from the cache of the publication                           |
 * | computed   | idle, every request another target: each answer is computed                                  |
 * | replay     | the topology works through the second year as fast as it can: answers last one publication   |
 * | visible    | from sending an event to the first answer that shows it, one at a time                       |
 *
 * The state is the first year of UCI Online Retail. Ours and the bare route run in the same process and take turns in
 * alternating order; medians of the rounds and their spread are printed.
 */
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Fastify from 'fastify';
import { shopTopics } from '../processors/index.ts';
import { openEmbeddedRegistry } from '../schemas/index.ts';
import { Host, startServer } from '../serving/index.ts';
import type { LoadJob, LoadResult } from './lookups-load.ts';
import { spread } from './support/spread.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 5);
/** Longer: while far behind the topology commits every ten seconds, and a round should see what follows from it. */
const replaySeconds = Number(process.argv[4] ?? 15);
const perSecond = 2000;
const kept = process.argv[5];
const folder = kept ?? (await mkdtemp(join(tmpdir(), 'millrace-bench-lookups-')));
const idleDir = join(folder, 'year-1');
const backlogDir = join(folder, 'backlog');
const load = fork(new URL('./lookups-load.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });

try {
  print(
    `Node ${process.version}, ${availableParallelism()} cores; ${rounds} rounds of ${seconds} s, of ${replaySeconds} s in the replay`,
  );
  if (!existsSync(backlogDir)) await prepared();
  await idle();
  await replay();
  await visible();
} finally {
  load.kill();
  if (kept === undefined) await rm(folder, { recursive: true });
}

/** In a process of its own, so that what it leaves in memory does not show in the measurements. */
async function prepared(): Promise<void> {
  const preparing = fork(new URL('./lookups-state.ts', import.meta.url), [idleDir, backlogDir], {
    execArgv: ['--import', 'tsx'],
  });
  const [code] = (await once(preparing, 'exit')) as [number];
  if (code !== 0) throw new Error(`Preparing the state ended with code ${code}`);
}

async function idle(): Promise<void> {
  await using side = await openSides(idleDir);
  const computed = Array.from(
    { length: perSecond * seconds },
    (_, at) => `${side.paths[at % side.paths.length]}?exclude=x${at}`,
  );
  const results = { ours: [] as LoadResult[], bare: [] as LoadResult[], computed: [] as LoadResult[] };
  const rates = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const turns = [
      async () => {
        results.ours.push(await asked({ port: side.port, paths: side.paths }));
        rates.ours.push(await closedLoop(side.port, side.paths));
      },
      async () => {
        results.bare.push(await asked({ port: side.barePort, paths: side.paths }));
        rates.bare.push(await closedLoop(side.barePort, side.paths));
      },
      async () => {
        // Targets of the last round are kept still, so each round has its own.
        results.computed.push(await asked({ port: side.port, paths: computed.map((path) => `${path}r${round}`) }));
      },
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  report('idle, ours', results.ours, rates.ours);
  report('idle, bare', results.bare, rates.bare);
  report('idle, computed', results.computed);
  const ratio = rates.ours.map((rate, at) => rate / rates.bare[at]!);
  print(
    `requests/s, ours of bare: ${spread(
      ratio.map((of) => of * 100),
      0,
    )} %   (wanted: 60 %)`,
  );
}

async function replay(): Promise<void> {
  const results = { ours: [] as LoadResult[], bare: [] as LoadResult[] };
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of round % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)) {
      const dataDir = join(folder, `replay-${round}-${kind}`);
      await cp(backlogDir, dataDir, { recursive: true });
      {
        await using side = await openSides(dataDir);
        const before = await lagOf(side.host);
        const port = kind === 'ours' ? side.port : side.barePort;
        const result = await asked({ port, paths: side.paths, seconds: replaySeconds });
        const after = await lagOf(side.host);
        if (after === 0) print(`  the replay ended within round ${round} (${kind}); its figures are too good`);
        if (kind === 'ours') rates.push((before - after) / replaySeconds);
        results[kind].push(result);
      }
      await rm(dataDir, { recursive: true });
    }
  }
  report('replay, ours', results.ours);
  report('replay, bare', results.bare);
  print(`replay beside look-ups: ${spread(rates, 0)} events/s`);
}

async function lagOf(host: Host): Promise<number> {
  const source = (await host.request({ kind: 'lag' })).filter(({ topic }) => topic === shopTopics.interactions);
  return source.reduce((sum, { lagRecords }) => sum + lagRecords, 0);
}

async function visible(): Promise<void> {
  await using side = await openSides(idleDir);
  const url = `http://127.0.0.1:${side.port}`;
  const takenMs: number[] = [];
  for (let at = 0; at < 60 * rounds; at += 1) {
    const product = `bench-${at}`;
    const events = ['85123A', product].map((productId) => ({ productId, sessionId: `bench-${at}`, type: 'purchase' }));
    const startMs = performance.now();
    const posted = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    await posted.arrayBuffer();
    for (;;) {
      const answer = await fetch(`${url}/v1/products/${product}/similar`);
      const text = await answer.text();
      if (answer.status === 200 && text.includes('85123A')) break;
    }
    takenMs.push(performance.now() - startMs);
  }
  const { p50, p99, max } = quantiles(takenMs);
  print(`event to visible        p50 ${ms(p50)}  p99 ${ms(p99)}  max ${ms(max)}   (wanted: p99 250 ms)`);
}

/** Our server and the bare one, over the same state, in this process. */
async function openSides(dataDir: string) {
  const host = await Host.open({ dataDir });
  const server = await startServer({ host, registry: await openEmbeddedRegistry(dataDir), port: 0 });
  const port = Number(new URL(server.url).port);
  const paths = await somePaths(server.url);
  const bodies = new Map<string, Buffer>();
  for (const path of paths) {
    const answer = await fetch(`${server.url}${path}`);
    bodies.set(path, Buffer.from(await answer.arrayBuffer()));
  }
  const bare = Fastify();
  for (const route of [
    '/v1/products/:id/similar',
    '/v1/products/:id/bought-together',
    '/v1/users/:id/recommendations',
  ]) {
    bare.get(route, (request, reply) =>
      reply.header('content-type', 'application/json; charset=utf-8').send(bodies.get(request.raw.url!)),
    );
  }
  await bare.listen({ port: 0, host: '127.0.0.1' });
  return {
    host,
    port,
    barePort: (bare.server.address() as { port: number }).port,
    paths,
    async [Symbol.asyncDispose]() {
      await bare.close();
      await server.close();
      await host.close();
    },
  };
}

/** What is asked: 7 of 10 similar items, 2 a user's list, 1 bought together; products and users in equal shares. */
async function somePaths(url: string): Promise<string[]> {
  const products: string[] = [];
  for (let tries = 0; products.length === 0 && tries < 200; tries += 1) {
    const best = (await (await fetch(`${url}/v1/users/nobody/recommendations?limit=100`)).json()) as Best;
    products.push(...best.items.map(({ id }) => id));
    if (products.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return Array.from({ length: 1000 }, (_, at) => {
    const product = products[at % products.length]!;
    if (at % 10 < 7) return `/v1/products/${product}/similar`;
    return at % 10 < 9 ? `/v1/users/${12_346 + at * 5}/recommendations` : `/v1/products/${product}/bought-together`;
  });
}

interface Best {
  readonly items: readonly { readonly id: string }[];
}

async function asked(of: Pick<LoadJob, 'port' | 'paths'> & Partial<LoadJob>): Promise<LoadResult> {
  const job: LoadJob = { perSecond, seconds, ...of };
  load.send(job);
  const [result] = (await once(load as ChildProcess, 'message')) as [LoadResult];
  const failed = Object.entries(result.statuses).filter(([status]) => status !== '200');
  if (failed.length > 0) print(`  answers that were not 200: ${JSON.stringify(Object.fromEntries(failed))}`);
  return result;
}

async function closedLoop(port: number, paths: readonly string[]): Promise<number> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon');
  const script = `
    const autocannon = require(${JSON.stringify(autocannon)});
    let text = '';
    process.stdin.on('data', (part) => (text += part)).on('end', () => {
      const requests = JSON.parse(text).map((path) => ({ path }));
      autocannon({ url: 'http://127.0.0.1:${port}', connections: 32, duration: ${seconds}, requests }).then((result) =>
        process.stdout.write(JSON.stringify({ total: result.requests.total, seconds: result.duration, non2xx: result.non2xx, errors: result.errors })));
    });`;
  const running = promisify(execFile)(process.execPath, ['-e', script], { maxBuffer: 1 << 26 });
  running.child.stdin!.end(JSON.stringify(paths));
  const result = JSON.parse((await running).stdout) as {
    total: number;
    seconds: number;
    non2xx: number;
    errors: number;
  };
  if (result.non2xx + result.errors > 0) print(`  ${result.non2xx} answers failed, ${result.errors} connections`);
  return result.total / result.seconds;
}

function report(name: string, results: readonly LoadResult[], rates?: readonly number[]): void {
  const of = results.map(({ latenciesMs }) => quantiles(latenciesMs));
  const [p50, p99, max] = (['p50', 'p99', 'max'] as const).map((key) =>
    spread(
      of.map((each) => each[key]),
      2,
    ),
  );
  const rate = rates === undefined ? '' : `   ${spread(rates, 0)} requests/s`;
  print(`${name.padEnd(16)} p50 ${p50} ms  p99 ${p99} ms  max ${max} ms${rate}`);
}

function quantiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! };
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
