import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { uciFiles } from '../equality/shop-run.ts';
import { millrace, MillraceProcess } from '../startup/millrace-process.ts';

/**
 * The bound on memory (docs/architecture/memory.md) under the load that takes most of it: both years in the log, replayed as
 * fast as the machine can. What is resident is read from /proc, so Linux only. At greater states: `npm run bench:state`.
 */
const boundMiB = 1024;

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-memory-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test.runIf(process.platform === 'linux')(`a server that replays both years stays within ${boundMiB} MiB`, async () => {
  for (const file of uciFiles) {
    const args = ['ingest', 'events', file, '--format', 'uci', '--data-dir', dataDir, '--no-wait'];
    expect((await millrace(args)).code).toBe(0);
  }
  await using server = new MillraceProcess(['start', '--data-dir', dataDir, '--port', '0']);
  const url = await server.url();
  while ((await fetch(`${url}/health/ready`)).status !== 200) await setTimeout(500);
  const peakMiB = peakMiBOf(server.pid);
  console.log(`Peak memory ${Math.round(peakMiB)} MiB.`);
  expect(peakMiB).toBeLessThanOrEqual(boundMiB);
});

function peakMiBOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
