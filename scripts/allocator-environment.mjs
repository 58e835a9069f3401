import { readFileSync } from 'node:fs';

/** The variables for the C library's allocator, from the first line of the `millrace` command, which says why. */
export function allocatorEnvironment() {
  const [shebang] = readFileSync(new URL('../cli/bin.mjs', import.meta.url), 'utf8').split('\n');
  return Object.fromEntries([...shebang.matchAll(/(\w+)=(\w+)/g)].map(([, name, value]) => [name, value]));
}
