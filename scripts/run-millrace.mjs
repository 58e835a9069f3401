import { fileURLToPath, pathToFileURL } from 'node:url';
import { allocatorEnvironment } from './allocator-environment.mjs';
import { build } from './build.mjs';
import { install } from './install.mjs';
import { stopOnError } from './step.mjs';

/**
 * Installs, builds and runs the command line with these arguments. What runs is what ships, the built files; it runs in this
 * process, so that signals, the terminal and the exit code need no passing on. Where Node can (from 22.15 on, not on Windows),
 * the process begins anew as the installed command does, since an allocator reads its variables only then.
 */
export async function runMillrace(args) {
  stopOnError(() => {
    install();
    build();
  });
  const bin = fileURLToPath(new URL('../dist/cli/bin.mjs', import.meta.url));
  if (process.execve !== undefined && process.platform === 'linux') {
    process.execve(process.execPath, [process.execPath, bin, ...args], { ...allocatorEnvironment(), ...process.env });
  }
  process.argv = [process.execPath, bin, ...args];
  await import(pathToFileURL(bin).href);
}
