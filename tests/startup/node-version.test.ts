import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
// @ts-expect-error The module is plain JavaScript, for Nodes that know no TypeScript.
import * as nodeVersion from '../../cli/node-version.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { oldestNode, unsupportedNode } = nodeVersion as {
  oldestNode: string;
  unsupportedNode: (found: string, path: string) => string | undefined;
};

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script under this Node, which says that it is another version. */
function runAs(version: string, script: string): Promise<Ended> {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, script];
  return new Promise((done) => {
    const child = execFile(process.execPath, args, { cwd: root }, (_error, stdout, stderr) =>
      done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test.each(['scripts/start.mjs', 'scripts/test.mjs', 'scripts/millrace.mjs', 'cli/bin.mjs'])(
  '%s stops under an unsupported Node with one sentence that says what to do',
  async (script) => {
    expect(await runAs('18.20.4', script)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `NODE_UNSUPPORTED: Millrace needs Node ${oldestNode} or newer and found 18.20.4 at ${process.execPath}; ` +
        'install a current Node from https://nodejs.org and run the command again.\n',
    });
  },
);

test('the oldest Node is the one that package.json names', () => {
  const { engines } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { engines: { node: string } };
  expect(`>=${oldestNode}`).toBe(`${engines.node}.0`);
});

test.each([
  ['20.15.0', true],
  ['20.14.0', false],
  ['20.15.0-nightly', true],
  ['21.0.0', true],
  ['9.99.99', false],
  ['100.0.0', true],
])('Node %s is supported: %s', (version, supported) => {
  expect(unsupportedNode(version, '/usr/bin/node') === undefined).toBe(supported);
});
