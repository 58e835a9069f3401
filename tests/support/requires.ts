import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';

/**
 * Tests that need more than Node say so: `const it = requires('java', 'runs Apache Kafka')`, then `it.test(...)` and
 * `it.describe(...)`. Where the component is missing they are skipped, with the reason in their title; under `CI=true` they
 * fail instead, so that a machine without the component cannot look green.
 *
 * `tmpfs` is the right to mount a small file system in memory, which tests fill up.
 *
 * `test-data` is the folder that `MILLRACE_TEST_DATA` names. Unset is a choice and always skips; set to a folder that does
 * not exist is a mistake, which counts as missing.
 */
export type Component = 'java' | 'maven' | 'python' | 'test-data' | 'tmpfs';

export interface Requirement {
  /** Whether the component is there. */
  readonly met: boolean;
  test(name: string, body: () => void | Promise<void>, timeoutMs?: number): void;
  describe(name: string, body: () => void): void;
}

const commands = {
  java: ['java', '-version'],
  maven: ['mvn', '--version'],
  python: ['python3', '--version'],
} as const;

export function requires(component: Component, reason: string): Requirement {
  return requirement(lookFor(component), reason, process.env['CI'] === 'true');
}

/** What stands in the way, or that nothing does. `optional` is missing by choice: a skip even under CI. */
export type Finding = { readonly kind: 'found' } | { readonly kind: 'missing' | 'optional'; readonly what: string };

/** The decision apart from the machine it is taken on. */
export function requirement(finding: Finding, reason: string, ci: boolean): Requirement {
  if (finding.kind === 'found') {
    return {
      met: true,
      test: (name, body, timeoutMs) => test(name, body, timeoutMs),
      describe: (name, body) => describe(name, body),
    };
  }
  const note = `${finding.what}; ${reason}`;
  const report = (name: string): void => {
    if (ci && finding.kind === 'missing') {
      test(name, () => {
        throw new Error(`Under CI=true a missing component is a failure: ${note}`);
      });
    } else {
      test.skip(`${name} [skipped: ${note}]`);
    }
  };
  return { met: false, test: report, describe: report };
}

function lookFor(component: Component): Finding {
  if (component === 'test-data') {
    const folder = process.env['MILLRACE_TEST_DATA'] ?? '';
    if (folder === '') return { kind: 'optional', what: 'MILLRACE_TEST_DATA is not set' };
    return existsSync(folder)
      ? { kind: 'found' }
      : { kind: 'missing', what: `MILLRACE_TEST_DATA=${folder} does not exist` };
  }
  if (component === 'tmpfs')
    return mayMount() ? { kind: 'found' } : { kind: 'missing', what: 'tmpfs cannot be mounted' };
  const [command, flag] = commands[component];
  const { status } = spawnSync(command, [flag], { stdio: 'ignore', timeout: 30_000 });
  return status === 0 ? { kind: 'found' } : { kind: 'missing', what: `${command} was not found` };
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-may-mount-'));
  try {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    if (status === 0) spawnSync('umount', [folder], { stdio: 'ignore' });
    return status === 0;
  } finally {
    rmdirSync(folder);
  }
}
