import { parentPort } from 'node:worker_threads';
import { spawnWorker } from '../../serving/host/spawn-worker.ts';
import { engineFaults } from '../../state/faults.ts';
import { faults } from '../../topology/runtime/faults.ts';
import { planVariable, type KillPlan, type KillPoint } from './kill-plan.ts';
import { die, Progress } from './last-words.ts';

/**
 * The host thread as the killed process runs it: sets the hooks, then becomes serving/host/host-thread.ts. Moments that
 * pass in an instant end the process from here; those that take a while, and random ones, are the killer's.
 */
const plan = JSON.parse(process.env[planVariable] ?? 'null') as KillPlan | null;

if (plan !== null) {
  const progress = new Progress();
  let passes = 0;
  const pass = (point: KillPoint): void => {
    if (point !== plan.point || progress.get('commits') < plan.afterCommits) return;
    // Between two commits no task batch is open, but requests are whose events the last commit does not hold.
    if (progress.get('batchesOpen') + progress.get('requestsOpen') === 0) return;
    if (passes++ >= plan.passes) die(plan, progress);
  };

  faults.splitCommit = plan.splitCommit;
  faults.reached = (point) => {
    if (point === 'after-poll') progress.add('batchesOpen');
    if (point === 'before-commit') {
      progress.set('requestsOpen', 0);
      progress.set('committing', 1);
    }
    if (point === 'after-commit') {
      progress.set('committing', 0);
      progress.set('batchesOpen', 0);
      progress.add('commits');
    }
    pass(point as KillPoint);
  };
  engineFaults.reached = (point) => {
    if (point !== 'writing') progress.set('flushing', point === 'flushing' ? 1 : 0);
    else if (progress.get('committing') === 1) pass('writing');
  };
  parentPort!.on('message', ({ request }: { readonly request: { readonly kind: string } }) => {
    if (request.kind === 'produce') progress.add('requestsOpen');
  });
  if (plan.point === 'flushing' || plan.point === 'compacting' || plan.point === 'random') {
    spawnWorker(new URL('./killer.ts', import.meta.url), { workerData: { plan, shared: progress.shared } });
  }
}

await import('../../serving/host/host-thread.ts');
