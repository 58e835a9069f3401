import { spawn } from 'node:child_process';
import { install } from './install.mjs';
import { root, stopOnError } from './step.mjs';

export function runTests(args) {
  stopOnError(install);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...args];
  const child = spawn(process.execPath, vitest, { cwd: root, stdio: 'inherit' });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
