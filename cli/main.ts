import { run } from './program.ts';

/** The command line, run when this module is loaded: `bin.mjs` and `scripts/run-millrace.mjs` do that. */
process.stdout.on('error', ignoreClosedPipe);
process.stderr.on('error', ignoreClosedPipe);
process.exitCode = await run(process.argv.slice(2));

/** `millrace topology | head -3`: nobody reads on, and that is no error. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
