import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** A step that failed in a way the user can do something about: printed as it is, without a stack. */
export class StepError extends Error {}

/** Runs a command in the repository with its output shown; throws `sentence` when it does not end with 0. */
export function step(command, args, sentence) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    throw new StepError(`${sentence} (${error?.message ?? (signal === null ? `exit code ${status}` : signal)})`);
  }
}

/** Ends the process with the sentence of a step that failed. */
export function stopOnError(steps) {
  try {
    steps();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
