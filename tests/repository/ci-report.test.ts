import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Step {
  readonly code: number;
  /** `status title`, by file; a file that did not load is a message. */
  readonly files?: Readonly<Record<string, readonly string[] | string>>;
}

/** What .ci/report.mjs prints about these steps, and its exit code. */
async function report(steps: Readonly<Record<string, Step>>): Promise<{ code: number; lines: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-ci-report-'));
  try {
    const rows = Object.entries(steps).map(([name, { code }]) => `${name}\t${code}\t7\n`);
    await writeFile(join(folder, 'steps.tsv'), rows.join(''));
    for (const [name, { files }] of Object.entries(steps)) {
      if (files !== undefined) await writeFile(join(folder, `${name}.json`), JSON.stringify(vitestReport(files)));
    }
    return await new Promise((done) => {
      const child = execFile(process.execPath, ['.ci/report.mjs', folder], { cwd: root }, (_error, stdout) =>
        done({ code: child.exitCode ?? -1, lines: stdout.trimEnd().split('\n') }),
      );
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function vitestReport(files: NonNullable<Step['files']>): unknown {
  const testResults = Object.entries(files).map(([name, tests]) => {
    if (typeof tests === 'string') {
      return { name: join(root, name), status: 'failed', message: tests, assertionResults: [] };
    }
    const assertionResults = tests.map((each) => {
      const [status, ...title] = each.split(' ');
      const failureMessages = status === 'failed' ? ['Error: expected 1, found 2\n    at x.ts:1'] : [];
      return { status, fullName: title.join(' '), failureMessages };
    });
    const status = assertionResults.some((each) => each.status === 'failed') ? 'failed' : 'passed';
    return { name: join(root, name), status, message: '', assertionResults };
  });
  return { testResults };
}

test('tests count one each, other steps one together, and nothing failed is exit code 0', async () => {
  const { code, lines } = await report({
    unit: { code: 0, files: { 'a.test.ts': ['passed x', 'passed y'] } },
    lint: { code: 0 },
  });
  expect(lines.at(-1)).toBe('3 passed, 0 failed');
  expect(code).toBe(0);
});

test('skipped tests stand above the last line with their reasons, and a skip without one is told', async () => {
  const tests = ['passed x', 'skipped y [skipped: java was not found; runs a broker]', 'skipped z', 'todo t'];
  const { lines } = await report({ unit: { code: 0, files: { 'a.test.ts': tests } } });
  expect(lines.slice(-6)).toEqual([
    'Skipped:',
    '  unit: a.test.ts > y [skipped: java was not found; runs a broker]',
    '  unit: a.test.ts > z [no reason given]',
    '  unit: a.test.ts > t [no reason given]',
    '',
    '1 passed, 0 failed',
  ]);
});

test('a failed test, a file that does not load, an error outside any test and a failed step count as failed', async () => {
  const { code, lines } = await report({
    unit: { code: 1, files: { 'a.test.ts': ['passed x', 'failed y'], 'b.test.ts': 'Error: no such module' } },
    long: { code: 1, files: { 'c.test.ts': ['passed x'] } },
    types: { code: 2 },
  });
  expect(lines.at(-1)).toBe('2 passed, 4 failed');
  expect(lines).toContain('  unit: a.test.ts > y');
  expect(lines).toContain('    Error: expected 1, found 2');
  expect(lines).toContain('    Error: no such module');
  expect(lines).toContain('  long: ended with exit code 1, see .ci/out/long.log');
  expect(code).toBe(1);
});
