import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { askWorker } from '../../tests/support/spawn-worker/ask-worker.ts';
import { spawnWorker } from './spawn-worker.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const main = 'tests/support/spawn-worker/main';

test('a worker written in TypeScript starts under vitest', async () => {
  expect(await askWorker('vitest')).toBe('vitest: INTERNAL');
});

test('a worker written in TypeScript starts under tsx', async () => {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', `${main}.ts`], { cwd: root });
  expect(stdout).toBe('main: INTERNAL\n');
});

test('a worker starts from the built files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-built-worker-'));
  try {
    const files = [`${main}.ts`, 'tests/support/spawn-worker/answering-worker.ts'].map((file) => join(root, file));
    const compilerOptions = {
      noEmit: false,
      outDir: folder,
      rootDir: root,
      typeRoots: [join(root, 'node_modules/@types')],
    };
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: root });
    const { stdout } = await run(process.execPath, [join(folder, `${main}.js`)]);
    expect(stdout).toBe('main: INTERNAL\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a worker whose module is missing reports an error', async () => {
  const worker = spawnWorker(new URL('./no-such-worker.ts', import.meta.url));
  const [error] = (await once(worker, 'error')) as [unknown];
  expect(String(error)).toContain('no-such-worker.ts');
});
