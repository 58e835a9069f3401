import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread from a module of ours, named by its source: `new URL('./runtime-worker.ts', import.meta.url)`.
 *
 * | this file runs as | what is started                                                                  |
 * |-------------------|----------------------------------------------------------------------------------|
 * | `.js` (built)     | the `.js` beside the named source; tsc rewrites imports but not URLs             |
 * | `.ts` (tsx, vitest) | a small script that registers tsx inside the thread, then imports the source   |
 *
 * Node 20 cannot load TypeScript, and a loader of the parent thread does not reach a worker that is started by
 * file name, not even through `execArgv`; registering inside the thread is what works in all three. A module that fails
 * to load shows as the worker's `error` event in either form.
 */
export function spawnWorker(url: URL, options: Omit<WorkerOptions, 'eval'> = {}): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL(url.href.replace(/\.ts$/, '.js')), options);
  }
  const tsx = import.meta.resolve('tsx/esm/api');
  const script = `import(${JSON.stringify(tsx)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(url.href)}); });`;
  // The parent's flags would load its own TypeScript hooks a second time.
  return new Worker(script, { ...options, execArgv: options.execArgv ?? [], eval: true });
}
