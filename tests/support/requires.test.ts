import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

/** Runs one test that needs Java in a vitest of its own, with no `java` on the path. */
async function runWithoutJava(ci: 'true' | 'false'): Promise<readonly { status: string; title: string }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-requires-'));
  try {
    const requires = join(root, 'tests/support/requires.ts');
    await writeFile(
      join(folder, 'java.test.ts'),
      `import { requires } from ${JSON.stringify(requires)};
       requires('java', 'runs a broker').test('a broker answers', () => {});
       requires('test-data', 'reads the sessions').test('sessions are read', () => {});`,
    );
    const report = join(folder, 'report.json');
    const args = [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--root',
      folder,
      '--reporter',
      'json',
      '--outputFile',
      report,
    ];
    await writeFile(join(folder, 'vitest.config.mjs'), `export default { test: { include: ['*.test.ts'] } };`);
    const env = { PATH: folder, CI: ci };
    await new Promise((done) => execFile(process.execPath, args, { env, cwd: root }, done));
    const { testResults } = JSON.parse(await readFile(report, 'utf8')) as Report;
    return testResults.flatMap((file) => file.assertionResults.map(({ status, title }) => ({ status, title })));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const withoutData = {
  status: 'skipped',
  title: 'sessions are read [skipped: MILLRACE_TEST_DATA is not set; reads the sessions]',
};

test('on a user machine a missing component skips the test with the reason in its title', async () => {
  expect(await runWithoutJava('false')).toEqual([
    { status: 'skipped', title: 'a broker answers [skipped: java was not found; runs a broker]' },
    withoutData,
  ]);
});

test('under CI=true a missing component fails the test', async () => {
  expect(await runWithoutJava('true')).toEqual([{ status: 'failed', title: 'a broker answers' }, withoutData]);
});
