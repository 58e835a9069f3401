import { MillraceError, type Serde } from '../../schemas/index.ts';
import { pairWindow } from './weights.ts';
import type { SessionStep } from './session-step.ts';

/**
 * Sums over the sessions of one partition, per relation: N and the reminder counters (docs/architecture/shop.md,
 * "Marginals" and "Reminders"). Index 0 of `rep` and `repN` is unused.
 *
 *     bytes: | sessions f64 | rep 1..10 f64 | repN 1..10 f64 |  little-endian
 */
export interface PairTotals {
  sessions: number;
  readonly rep: number[];
  readonly repN: number[];
}

export function emptyPairTotals(): PairTotals {
  return { sessions: 0, rep: Array<number>(pairWindow + 1).fill(0), repN: Array<number>(pairWindow + 1).fill(0) };
}

/** Counts a step's session and reminders; false when it changed nothing. */
export function addToTotals(totals: PairTotals, step: SessionStep): boolean {
  if (step.opens) totals.sessions += 1;
  for (let k = 1; k <= step.reminderPositions; k += 1) totals.repN[k]! += 1;
  if (step.reminderHit > 0) totals.rep[step.reminderHit]! += 1;
  return step.opens || step.reminderPositions > 0;
}

export const pairTotalsSerde: Serde<PairTotals> = {
  name: 'pair-totals',
  serialize({ sessions, rep, repN }) {
    return new Uint8Array(new Float64Array([sessions, ...rep.slice(1), ...repN.slice(1)]).buffer);
  },
  deserialize(bytes) {
    if (bytes.length !== (1 + 2 * pairWindow) * 8) {
      throw new MillraceError(
        'DESERIALIZATION_FAILED',
        `Pair totals want ${(1 + 2 * pairWindow) * 8} bytes, found ${bytes.length}`,
        { found: bytes.length },
      );
    }
    const [sessions, ...counters] = new Float64Array(Uint8Array.from(bytes).buffer);
    return {
      sessions: sessions!,
      rep: [0, ...counters.slice(0, pairWindow)],
      repN: [0, ...counters.slice(pairWindow)],
    };
  },
  sizeOf: () => 400,
};
