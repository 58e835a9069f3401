/** `npm run bench [-- rounds]`: the whole topology beside its floor, then look-ups beside a bare route, then event to visible. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

for (const script of ['./replay/index.ts', './lookups.ts']) {
  const path = new URL(script, import.meta.url).pathname;
  process.stdout.write(`\n== ${script}\n`);
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...process.argv.slice(2, 3)], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) process.exit(code ?? 1);
}
