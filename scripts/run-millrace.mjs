import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { install } from './install.mjs';
import { stopOnError } from './step.mjs';

/**
 * Installs, builds and runs the command line with these arguments. What runs is what ships, the built files; it runs in this
 * process, so that signals, the terminal and the exit code need no passing on.
 */
export async function runMillrace(args) {
  stopOnError(() => {
    install();
    build();
  });
  const main = new URL('../dist/cli/main.js', import.meta.url);
  process.argv = [process.execPath, fileURLToPath(main), ...args];
  await import(main.href);
}
