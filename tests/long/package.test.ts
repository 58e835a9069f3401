import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * What a user gets: the packed package, installed in an empty folder. The library half has to stand alone, so every
 * dependency that only the shop needs is taken away again before anything is run.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const libraryPackages = ['avsc', 'rocksdb-native'];
const run = promisify(execFile);

let folder: string;
const nodes = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-package-'));
  await run(process.execPath, ['scripts/build.mjs'], { cwd: root });
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...quiet, `./${filename}`], { cwd: folder });

  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies).filter((each) => !libraryPackages.includes(each))) {
    await rm(join(folder, 'node_modules', name), { recursive: true });
  }
  for (const [name, major] of [
    ['Node 20.15', ['20.15.0']],
    ['the newest LTS', []],
  ] as const) {
    const args = ['scripts/lts-node.mjs', join(folder, 'nodes', name), ...major];
    nodes.set(name, (await run(process.execPath, args, { cwd: root })).stdout.trim().split('\n').at(-1)!);
  }
}, 10 * 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('every entry point of the package is in it', async () => {
  const manifest = JSON.parse(await readFile(join(folder, 'node_modules/millrace/package.json'), 'utf8')) as {
    exports: Record<string, string>;
    bin: Record<string, string>;
  };
  const named = [...Object.values(manifest.exports), ...Object.values(manifest.bin)];
  const missing = named.filter((path) => !existsSync(join(folder, 'node_modules/millrace', path)));
  expect(missing).toEqual([]);
});

test('what the README shows and links is in the package', async () => {
  const readme = await readFile(join(folder, 'node_modules/millrace/README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((path) => !existsSync(join(folder, 'node_modules/millrace', path)))).toEqual([]);
  expect(readme).toContain(await readFile(join(root, 'examples/word-count/word-count.mjs'), 'utf8'));
});

test.each(['Node 20.15', 'the newest LTS'])('the word-count example runs under %s', async (name) => {
  await copyFile(join(root, 'examples/word-count/word-count.mjs'), join(folder, 'word-count.mjs'));
  const { stdout, stderr } = await run(nodes.get(name)!, ['word-count.mjs'], { cwd: folder });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'the: 1',
    'mill: 1',
    'goes: 1',
    'round: 1',
    'and: 1',
    'round: 2',
    'the: 2',
    'mill: 2',
  ]);
});

test.each(['Node 20.15', 'the newest LTS'])(
  'every face of the library loads, and RocksDB keeps data, under %s',
  async (name) => {
    const script = `
    import { openDataFolder } from 'millrace/state';
    const value = new TextEncoder().encode('kept');
    const writer = await openDataFolder('data ${name}');
    await writer.write({ operations: [{ kind: 'put', family: 'state', key: value, value }], bytes: 8 });
    await writer[Symbol.asyncDispose]();
    const reader = await openDataFolder('data ${name}');
    console.log(new TextDecoder().decode((await reader.getMany('state', [value]))[0]));
    await reader[Symbol.asyncDispose]();
    for (const face of ['schemas', 'log', 'topology']) console.log(Object.keys(await import('millrace/' + face)).length > 2);
  `;
    await writeFile(join(folder, 'faces.mjs'), script);
    const { stdout, stderr } = await run(nodes.get(name)!, ['faces.mjs'], { cwd: folder });
    expect(stderr).toBe('');
    expect(stdout).toBe('kept\ntrue\ntrue\ntrue\n');
  },
);

test("a user's file is checked against the shipped types, and wrong use is refused", async () => {
  const user = `
    import { stringSerde, int64Serde, MillraceError } from 'millrace/schemas';
    import { StreamsBuilder, TimeWindows, TopologyTestDriver, type KStream, type Topology } from 'millrace/topology';
    import type { Log } from 'millrace/log';
    import { createMemoryEngine, type Engine } from 'millrace/state';

    const builder = new StreamsBuilder();
    const lines: KStream<string, string> = builder.stream('lines', { keySerde: stringSerde, valueSerde: stringSerde });
    const lengths = lines.mapValues((line) => line.length);
    lengths.to('lengths', { keySerde: stringSerde, valueSerde: int64Serde });
    // @ts-expect-error The values are numbers.
    lengths.to('lengths', { valueSerde: stringSerde });
    // @ts-expect-error A line is a string.
    lines.filter((_, line) => line.getTime() > 0);
    // @ts-expect-error There is no such operator.
    lines.frobnicate();
    export const topology: Topology = builder.build();
    export const engine: Engine = createMemoryEngine();
    export const driver: Promise<TopologyTestDriver> = TopologyTestDriver.create(topology);
    export const windows = TimeWindows.ofSizeAndGrace({ sizeMs: 60_000, graceMs: 0 });
    export const code = (error: MillraceError, log: Log): string => error.code + typeof log;
  `;
  await mkdir(join(folder, 'user'));
  await writeFile(join(folder, 'user/user.ts'), user);
  const compilerOptions = {
    ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2023', lib: ['es2023', 'esnext.disposable'] },
    ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false, types: [] },
  };
  await writeFile(join(folder, 'user/tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.ts'] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', 'user'], { cwd: folder }).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  expect(stdout).toBe('');
});
