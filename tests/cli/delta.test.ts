import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run } from '../../cli/program.ts';
import { DuckDb } from '../../sinks/delta/index.ts';

/** The commands on a table that Spark wrote: tests/delta/golden.test.ts. */
const golden = fileURLToPath(new URL('../delta/golden/deletion-vectors', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-delta-'));
const table = join(folder, 'table');

beforeAll(() => cpSync(golden, table, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command line in this process. */
async function delta(
  ...args: string[]
): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  const [out, error] = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  out.mockReturnValue(true);
  error.mockReturnValue(true);
  try {
    const code = await run(['delta', ...args], {});
    const said = (spy: typeof out): string => spy.mock.calls.map(([text]) => String(text)).join('');
    return { code, out: said(out), error: said(error) };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
}

const expectedRows = readFileSync(join(golden, 'expected.ndjson'), 'utf8').trim().split('\n').length;

test('inspect and history say what the table is and what was done to it', async () => {
  const { code, out } = await delta('inspect', table);
  expect(code).toBe(0);
  expect(out).toMatch(/^version {5}5$/m);
  expect(out).toMatch(/reader 3, writer 7: .*deletionVectors/);
  expect(out).toContain(`, ${expectedRows} rows`);
  expect(out).toMatch(/^name +string +yes$/m);
  const history = await delta('history', table, '--limit', '2');
  expect(
    history.out
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)[0]),
  ).toEqual(['VERSION', '5', '4']);
  expect(history.out).toMatch(/DELETE/);
});

test('read writes rows of a version to a file, Parquet with the exact types', async () => {
  for (const [format, args, rows] of [
    ['parquet', [], expectedRows],
    ['csv', ['--version', '1'], 1000],
    ['json', ['--version', '2', '--columns', 'name,id'], 1010],
  ] as const) {
    const out = join(folder, `rows.${format}`);
    const { code, out: said } = await delta('read', table, '--out', out, ...args);
    expect([code, said]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^${rows.toLocaleString('en')} rows of version`)) as string,
    ]);
    await using db = await DuckDb.open();
    await db.session(async (session) => {
      const types = await session.columns(`SELECT * FROM '${out}'`);
      expect([...types].map(([name, type]) => `${name} ${String(type)}`)).toEqual(
        format === 'json' ? ['name VARCHAR', 'id BIGINT'] : ['id BIGINT', 'name VARCHAR'],
      );
      const [[count] = []] = await session.rows<[bigint]>(`SELECT count(*) FROM '${out}'`);
      expect(Number(count)).toBe(rows);
    });
  }
});

test('optimize, checkpoint, vacuum and restore do what they say', async () => {
  expect((await delta('optimize', table)).out).toMatch(/^\d files are 1 now, as of version 6\.$/m);
  expect((await delta('checkpoint', table)).out).toMatch(/checkpoint of version 6/);
  expect((await delta('vacuum', table, '--dry-run')).out).toMatch(/^0 files, 0 bytes would go\.$/m);
  expect((await delta('restore', table, '--version', '2')).out).toMatch(/^Version 7 is what version 2 was/);
  expect((await delta('inspect', table)).out).toContain(', 1,010 rows');
});

test('what goes wrong is one sentence', async () => {
  for (const [args, message] of [
    [['inspect', join(folder, 'nothing')], /^TABLE_NOT_FOUND: There is no Delta table in /],
    [['inspect', table, '--version', '99'], /^TABLE_VERSION_NOT_FOUND: .* reaches from 0 to \d/],
    [['read', table, '--out', 'rows.xml'], /^INVALID_ARGUMENT: --out wants/],
    [['restore', table], /^INVALID_ARGUMENT: .*--version or --timestamp/],
    [['vacuum', table, '--retention-hours', '1'], /^INVALID_ARGUMENT: .* keeps removed files/],
    [['inspect', table, '--timestamp', 'yesterday'], /2026-01-31T12:00:00Z/],
  ] as const) {
    const { code, error } = await delta(...args);
    expect(code).toBe(1);
    expect(error).toMatch(message);
    expect(error.trim().split('\n')).toHaveLength(1);
  }
});
