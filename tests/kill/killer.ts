import { openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import type { KillPlan } from './kill-plan.ts';
import { die, Progress } from './last-words.ts';

/**
 * A thread beside the host thread: kills while something takes its time, or at random, at whatever instruction the
 * other threads are. It always waits for the commits it was told to wait for, and for an open batch.
 */
const { plan, shared } = workerData as { readonly plan: KillPlan; readonly shared: Int32Array };
const progress = new Progress(shared);
const isOpen = (): boolean => progress.get('commits') >= plan.afterCommits && progress.get('batchesOpen') > 0;

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number): void => void Atomics.wait(sleeper, 0, 0, ms);

/** True while RocksDB says in its own log that it compacts. A job that began before is not seen, and its end ends nothing. */
function compactions(): () => boolean {
  const file = openSync(join(plan.dataDir, 'db', 'LOG'), 'r');
  const buffer = Buffer.alloc(1 << 16);
  while (readSync(file, buffer) > 0);
  const running = new Set<string>();
  return () => {
    const text = buffer.toString('latin1', 0, readSync(file, buffer));
    for (const [, job, event] of text.matchAll(/"job": (\d+), "event": "compaction_(started|finished)"/g)) {
      if (event === 'started') running.add(job!);
      else running.delete(job!);
    }
    return running.size > 0;
  };
}

/** Waits until `holds` and a batch is open, then a little, and looks once more. */
function killWhile(holds: () => boolean): never {
  for (;;) {
    if (holds() && isOpen()) {
      if (plan.delayMs > 0) sleep(plan.delayMs);
      if (holds() && isOpen()) die(plan, progress);
    }
    sleep(0.2);
  }
}

while (progress.get('commits') < plan.afterCommits) sleep(1);
switch (plan.point) {
  case 'flushing':
    killWhile(() => progress.get('flushing') === 1);
    break;
  case 'compacting':
    killWhile(compactions());
    break;
  default:
    sleep(plan.delayMs);
    killWhile(() => true);
}
