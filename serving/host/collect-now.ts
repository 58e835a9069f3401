import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * A full collection of this thread's heap, now: hundreds of ms. V8 collects by how fast objects come and when it gets to it; where the
 * processor is busy with others, buffers of commits that are done wait for that.
 */
export const collectNow: () => void = exposed();

function exposed(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
