import { fork } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HttpProducers } from './http-producers.ts';
import { planVariable, type Evidence, type KillPlan } from './kill-plan.ts';
import type { Piece } from './pieces.ts';

/** What a life is to do. */
export interface LifeOrder {
  readonly dataDir: string;
  readonly partitions: number;
  /** Of this life, in order. */
  readonly pieces: readonly Piece[];
}

export type ChildMessage =
  | { readonly kind: 'listening'; readonly url: string }
  /** All of the piece is acknowledged. */
  | { readonly kind: 'ingested'; readonly name: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string };

export interface Life {
  /** Names of pieces. */
  readonly ingested: readonly string[];
  /** Of the killed: what it said of itself. */
  readonly evidence: Evidence | undefined;
  /** The topology stopped by itself: an error of ours. */
  readonly failure: string | undefined;
  /** Until it took requests, and to its end. */
  readonly listeningMs: number;
  readonly durationMs: number;
}

/**
 * Starts the system, lets the producers at it, and waits for its end: by the plan's SIGKILL, or without a plan by
 * stopping it when the pieces are in and `until` has come.
 */
export function live(
  order: LifeOrder,
  run: { readonly plan: KillPlan | undefined; readonly producers: HttpProducers; readonly until?: () => Promise<void> },
): Promise<Life> {
  const { plan, producers } = run;
  const startedMs = performance.now();
  if (plan !== undefined) rmSync(plan.evidence, { force: true });
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [JSON.stringify(order)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, [planVariable]: JSON.stringify(plan ?? null) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ingested: string[] = [];
  let failure: string | undefined;
  let listeningMs = 0;
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => child.kill('SIGTERM'), lifeMsMax);
    child.on('message', (message: ChildMessage) => {
      if (message.kind === 'listening') {
        listeningMs = performance.now() - startedMs;
        producers.sendTo(message.url);
      }
      if (message.kind === 'ingested') ingested.push(message.name);
      if (message.kind === 'failed') {
        failure = message.message;
        child.kill('SIGTERM');
      }
      if (message.kind !== 'ready' || plan !== undefined) return;
      void (run.until?.() ?? Promise.resolve()).then(async () => {
        await producers.pause();
        child.send('stop');
      }, reject);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      void producers.pause().then(() => {
        const durationMs = performance.now() - startedMs;
        const evidence = readEvidence(plan);
        if (
          failure !== undefined ||
          (plan === undefined ? code === 0 : signal === 'SIGKILL' && evidence !== undefined)
        ) {
          resolve({ ingested, evidence, failure, listeningMs, durationMs });
        } else reject(new Error(`A life wanted to end by ${plan?.point ?? 'stopping'}, ended by ${signal ?? code}.`));
      }, reject);
    });
  });
}

function readEvidence(plan: KillPlan | undefined): Evidence | undefined {
  if (plan === undefined || !existsSync(plan.evidence)) return undefined;
  return JSON.parse(readFileSync(plan.evidence, 'utf8')) as Evidence;
}

/** Far above what a life takes, also on a busy machine. */
const lifeMsMax = 180_000;
