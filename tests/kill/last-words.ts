import { writeFileSync } from 'node:fs';
import type { Evidence, KillPlan } from './kill-plan.ts';

/** Numbers that the threads of the dying process share, by their places in one array. */
const cells = ['commits', 'batchesOpen', 'requestsOpen', 'committing', 'flushing'] as const;

export class Progress {
  readonly shared: Int32Array;

  constructor(shared: Int32Array = new Int32Array(new SharedArrayBuffer(4 * cells.length))) {
    this.shared = shared;
  }

  get(cell: (typeof cells)[number]): number {
    return Atomics.load(this.shared, cells.indexOf(cell));
  }

  set(cell: (typeof cells)[number], value: number): void {
    Atomics.store(this.shared, cells.indexOf(cell), value);
  }

  add(cell: (typeof cells)[number]): void {
    Atomics.add(this.shared, cells.indexOf(cell), 1);
  }
}

/** Says what the process was doing, then ends it as `kill -9` does. */
export function die(plan: KillPlan, progress: Progress): never {
  const evidence: Evidence = {
    point: plan.point,
    commits: progress.get('commits'),
    batchesOpen: progress.get('batchesOpen'),
    requestsOpen: progress.get('requestsOpen'),
  };
  writeFileSync(plan.evidence, JSON.stringify(evidence));
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
