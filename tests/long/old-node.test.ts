import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-old-node-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

// 12 knows neither `node:` imports nor `??`, so it shows that nothing newer is parsed before the check.
test.each(['12', '18'])('a real Node %s gets one sentence from npm start, npm test and the command', async (major) => {
  const { stdout } = await run(process.execPath, ['scripts/lts-node.mjs', join(folder, major), major], { cwd: root });
  const node = stdout.trim().split('\n').at(-1)!;
  for (const script of ['scripts/start.mjs', 'scripts/test.mjs', 'scripts/millrace.mjs', 'cli/bin.mjs']) {
    const ended = await run(node, [script], { cwd: root }).then(
      () => ({ code: 0, stderr: '' }),
      (error: unknown) => error as { readonly code: number; readonly stderr: string },
    );
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      new RegExp(`^NODE_UNSUPPORTED: Millrace needs Node 20\\.15\\.0 or newer and found ${major}\\.[^\\n]+\\n$`),
    );
  }
});
