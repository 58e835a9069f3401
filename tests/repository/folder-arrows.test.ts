import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** CONTRIBUTING.md, Folders: which folder may import which. Stated here once more, so that the linter's list has a check. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  state: ['schemas'],
  log: ['schemas', 'state'],
  topology: ['schemas', 'state', 'log'],
  processors: ['schemas', 'topology'],
  sinks: ['schemas', 'state', 'topology'],
  sources: ['schemas', 'log'],
  models: ['schemas', 'processors'],
  serving: ['schemas', 'state', 'log', 'topology', 'processors', 'sinks', 'sources', 'models'],
  web: ['serving'],
  cli: ['schemas', 'state', 'log', 'topology', 'processors', 'sinks', 'sources', 'models', 'serving', 'web'],
};
const folders = Object.keys(mayImport);
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Findings {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string; readonly message: string }[];
}

/** Lints files in a folder of their own with the repository's rules: `file: refused import`, in order. */
async function refusedImports(files: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-arrows-'));
  try {
    await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const [file, imports] of files) {
      await mkdir(join(folder, file, '..'), { recursive: true });
      await writeFile(join(folder, file), imports.map((specifier) => `import '${specifier}';\n`).join(''));
    }
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    const args = [oxlint, '--format', 'json', '-A', 'all', '-D', 'no-restricted-imports'];
    const run = promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 24 });
    const { stdout } = await run.catch((ended: unknown) => ended as { readonly stdout: string });
    const { diagnostics } = JSON.parse(stdout) as Findings;
    return diagnostics
      .filter(({ code }) => code === 'eslint(no-restricted-imports)')
      .map(({ filename, message }) => `${filename}: ${/^'([^']+)'/.exec(message)?.[1] ?? message}`)
      .toSorted();
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a folder is refused an import from every folder that is not in its row, at any depth', async () => {
  const files = new Map<string, string[]>();
  const expected = new Set<string>();
  for (const from of folders) {
    for (const [file, up] of [
      [`${from}/file.ts`, '../'],
      [`${from}/a/b/file.ts`, '../../../'],
    ] as const) {
      files.set(
        file,
        folders.filter((to) => to !== from).map((to) => `${up}${to}/index.ts`),
      );
      for (const to of folders) {
        if (to !== from && !mayImport[from]?.includes(to)) expected.add(`${file}: ${up}${to}/index.ts`);
      }
    }
  }
  expect(await refusedImports(files)).toEqual([...expected].toSorted());
});

test('the library half is refused every package but its own, and may use Node', async () => {
  const imports = [
    'avsc',
    'rocksdb-native',
    'fastify',
    '@duckdb/node-api',
    'commander',
    'node:fs',
    'node:fs/promises',
    './near.ts',
  ];
  const files = new Map(['schemas', 'state', 'log', 'topology'].map((folder) => [`${folder}/file.ts`, imports]));
  const foreign = ['@duckdb/node-api', 'commander', 'fastify'];
  expect(await refusedImports(files)).toEqual(
    [
      ...[...foreign, 'avsc', 'rocksdb-native'].flatMap((name) => [
        `log/file.ts: ${name}`,
        `topology/file.ts: ${name}`,
      ]),
      ...[...foreign, 'rocksdb-native'].map((name) => `schemas/file.ts: ${name}`),
      ...[...foreign, 'avsc'].map((name) => `state/file.ts: ${name}`),
    ].toSorted(),
  );
});

test('processors are refused what lies behind the public face of the topology library', async () => {
  const files = new Map([['processors/a/file.ts', ['../../topology/index.ts', '../../topology/graph/graph.ts']]]);
  expect(await refusedImports(files)).toEqual(['processors/a/file.ts: ../../topology/graph/graph.ts']);
});

test('the Delta module is refused everything of the rest but the errors', async () => {
  const imports = ['fastify', '@duckdb/node-api', 'node:fs', './near.ts'];
  const files = new Map([
    [
      'sinks/delta/file.ts',
      [...imports, '../../schemas/errors.ts', '../../schemas/index.ts', '../other/file.ts', './log/file.ts'],
    ],
    [
      'sinks/delta/log/file.ts',
      [...imports, '../../../schemas/errors.ts', '../../../state/index.ts', '../../file.ts', '../read/file.ts'],
    ],
  ]);
  expect(await refusedImports(files)).toEqual(
    [
      'sinks/delta/file.ts: ../../schemas/index.ts',
      'sinks/delta/file.ts: ../other/file.ts',
      'sinks/delta/file.ts: fastify',
      'sinks/delta/log/file.ts: ../../../state/index.ts',
      'sinks/delta/log/file.ts: ../../file.ts',
      'sinks/delta/log/file.ts: fastify',
    ].toSorted(),
  );
});
