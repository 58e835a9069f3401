import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { afterAll, expect, test } from 'vitest';
import { MillraceProcess } from '../startup/millrace-process.ts';

/**
 * Far more than a server can answer, over loopback: thousands of questions for a thousand rows each, and far too many
 * events from hundreds of clients at once. What is too much is turned away with Retry-After; memory stays within its bound;
 * nothing that was acknowledged is lost; and when the load is gone, the server answers as before.
 */
const dataDir = mkdtempSync(join(tmpdir(), 'millrace-overload-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const megabytesMax = 1024;

interface Load {
  readonly statuses: Readonly<Record<string, number>>;
  /** 503 without a Retry-After of whole seconds. */
  readonly unexplained: number;
  readonly accepted: number;
}

test('too many questions and events at once are turned away with Retry-After, and the server recovers', async () => {
  await using server = new MillraceProcess(['start', '--data-dir', dataDir, '--port', '0']);
  const url = await server.url();
  const few = await post(url, ndjson('few', 2000));
  expect(few).toMatchObject({ accepted: 2000 });
  await caughtUp(url);

  const questions = await load(url, {
    ...{ connections: 1200, path: '/v1/stores/product-stats/range?limit=1000', method: 'GET' },
  });
  const events = await load(url, {
    ...{ connections: 400, path: '/v1/events', method: 'POST', body: (at) => ndjson(`load-${at}`, 1000) },
  });
  const peakMegabytes = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024;
  console.log(JSON.stringify({ questions, events, peakMegabytes: Math.round(peakMegabytes) }));
  for (const of of [questions, events]) {
    expect(Object.keys(of.statuses).toSorted()).toEqual(['200', '503']);
    expect(of.unexplained).toBe(0);
  }
  expect(peakMegabytes).toBeLessThan(megabytesMax);

  const ask = async (): Promise<number> => (await fetch(`${url}/v1/stores/product-stats/range?limit=1000`)).status;
  await expect.poll(ask, { timeout: 15_000 }).toBe(200);
  await caughtUp(url);
  expect(await post(url, ndjson('after', 10))).toMatchObject({ accepted: 10 });
  await caughtUp(url);
  const { value } = (await (await fetch(`${url}/v1/stores/cleanse-counters/keys/accepted`)).json()) as {
    value: number;
  };
  // What was answered too late may have been accepted all the same.
  expect(value).toBeGreaterThanOrEqual(2000 + events.accepted + 10);
});

/** For ten seconds, each connection one request behind the other. */
async function load(
  url: string,
  of: {
    readonly connections: number;
    readonly path: string;
    readonly method: 'GET' | 'POST';
    readonly body?: (at: number) => string;
  },
): Promise<Load> {
  const statuses: Record<string, number> = {};
  let unexplained = 0;
  let accepted = 0;
  let bodies = 0;
  await autocannon({
    url,
    connections: of.connections,
    duration: 10,
    timeout: 60,
    requests: [
      {
        method: of.method,
        path: of.path,
        headers: { 'content-type': 'application/x-ndjson' },
        setupRequest: (request) => (of.body === undefined ? request : { ...request, body: of.body(bodies++) }),
        onResponse: (status, body, _context, headers) => {
          statuses[status] = (statuses[status] ?? 0) + 1;
          const retryAfter = (headers as Record<string, string> | undefined)?.['retry-after'];
          if (status === 503 && !/^\d+$/.test(retryAfter ?? '')) unexplained += 1;
          if (status === 200 && of.method === 'POST') accepted += (JSON.parse(body) as { accepted: number }).accepted;
        },
      },
    ],
  });
  return { statuses, unexplained, accepted };
}

function ndjson(name: string, events: number): string {
  return Array.from({ length: events }, (_, at) =>
    JSON.stringify({
      ...{ eventId: `${name}-${at}`, userId: `u${at % 100}`, sessionId: `${name}-${at >> 3}`, type: 'view' },
      ...{ productId: `p${(at * 7919) % 1500}`, timestamp: 1_600_000_000_000 + at * 1000 },
    }),
  ).join('\n');
}

async function post(url: string, body: string): Promise<unknown> {
  const headers = { 'content-type': 'application/x-ndjson' };
  return await (await fetch(`${url}/v1/events`, { method: 'POST', headers, body })).json();
}

async function caughtUp(url: string): Promise<void> {
  for (;;) {
    const lag = (await (await fetch(`${url}/v1/lag`)).json()) as { partitions: { lagRecords: number }[] };
    if (lag.partitions.every(({ lagRecords }) => lagRecords === 0)) return;
    await sleep(100);
  }
}
