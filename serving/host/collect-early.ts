import { setFlagsFromString } from 'node:v8';

/**
 * How much an old generation may grow between two of its collections, in percent of what was alive after the last one. V8
 * chooses up to 300 by how fast objects come: in a replay a third of the heap was garbage that waited.
 */
const growingPercent = 25;

/** For all threads that start from now on. No limit as `resourceLimits` has them: a thread that reached one would be killed. */
export function collectEarly(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
}
