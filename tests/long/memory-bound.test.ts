import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
// @ts-expect-error The module is plain JavaScript, as all of scripts/ is.
import * as allocator from '../../scripts/allocator-environment.mjs';
import { uciFiles } from '../equality/shop-run.ts';
import { MillraceProcess } from '../startup/millrace-process.ts';
import { atFullSize } from '../support/at-full-size.ts';

/**
 * The bound on memory (docs/architecture/memory.md) under the load that takes most of it: a year in the log, as a proof both, replayed as
 * fast as the machine can, by the built command as an installed one runs. What is resident is read from /proc, so Linux only.
 * At greater states: `npm run bench:state`.
 */
const boundMiB = 1024;
const files = atFullSize ? uciFiles : uciFiles.slice(1);

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'dist/cli/bin.mjs');
const { allocatorEnvironment } = allocator as { allocatorEnvironment: () => Record<string, string> };
const dataDir = mkdtempSync(join(tmpdir(), 'millrace-memory-'));
beforeAll(() => execFileSync(process.execPath, [join(root, 'scripts/build.mjs')]));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test.runIf(process.platform === 'linux')(
  `a server that replays ${files.length} year(s) stays within ${boundMiB} MiB`,
  async () => {
    for (const file of files) {
      const args = ['ingest', 'events', file, '--format', 'uci', '--data-dir', dataDir, '--no-wait'];
      expect((await millrace(args).ended).code).toBe(0);
    }
    await using server = millrace(['start', '--data-dir', dataDir, '--port', '0']);
    const url = await server.url();
    while ((await fetch(`${url}/health/ready`)).status !== 200) await setTimeout(500);
    const peakMiB = peakMiBOf(server.pid);
    console.log(`Peak memory ${Math.round(peakMiB)} MiB.`);
    expect(peakMiB).toBeLessThanOrEqual(boundMiB);
  },
);

function millrace(args: readonly string[]): MillraceProcess {
  return new MillraceProcess(args, allocatorEnvironment(), [bin]);
}

function peakMiBOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
