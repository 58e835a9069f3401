import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionStep } from './session-step.ts';
import { backWeights, forwardWeights } from './weights.ts';

interface Totals {
  readonly weights: Map<string, number>;
  readonly counts: Map<string, number>;
  readonly marginals: Map<string, number>;
  readonly sessions: number;
  readonly rep: number[];
  readonly repN: number[];
}

/** The page's words over a whole session, with nothing clever: every candidate, then the largest. */
function byDefinition(sequence: readonly string[], positions: number): Totals {
  const weights = new Map<string, number>();
  const counts = new Map<string, number>();
  const rep = Array<number>(11).fill(0);
  const repN = Array<number>(11).fill(0);
  const offer = (from: string, to: string, weight: number) => {
    const key = `${from}>${to}`;
    weights.set(key, Math.max(weights.get(key) ?? 0, weight));
    counts.set(key, 1);
  };
  for (const [p, j] of sequence.entries()) {
    const skipped = new Set([j]);
    for (let d = 1; d <= positions && d <= p; d += 1) {
      const i = sequence[p - d]!;
      if (skipped.has(i)) continue;
      skipped.add(i);
      offer(i, j, Math.round(1024 / Math.sqrt(d)));
      offer(j, i, Math.round(768 / Math.sqrt(d)));
    }
    const distinct = [...new Set(sequence.slice(0, p).toReversed())].slice(0, 10);
    for (const [k, i] of distinct.entries()) {
      repN[k + 1]! += 1;
      if (i === j) rep[k + 1]! += 1;
    }
  }
  const marginals = new Map([...new Set(sequence)].map((item) => [item, 1]));
  return { weights, counts, marginals, sessions: sequence.length > 0 ? 1 : 0, rep, repN };
}

function byStep(sequence: readonly string[], positions: number): Totals {
  const weights = new Map<string, number>();
  const counts = new Map<string, number>();
  const marginals = new Map<string, number>();
  const rep = Array<number>(11).fill(0);
  const repN = Array<number>(11).fill(0);
  let sessions = 0;
  const add = (map: Map<string, number>, key: string, amount: number) => map.set(key, (map.get(key) ?? 0) + amount);
  for (const [p, j] of sequence.entries()) {
    const step = sessionStep(sequence.slice(0, p), j, positions);
    if (step.opens) sessions += 1;
    if (step.first) add(marginals, j, 1);
    for (const pair of step.pairs) {
      add(weights, `${pair.item}>${j}`, pair.forward);
      add(weights, `${j}>${pair.item}`, pair.back);
      add(counts, `${pair.item}>${j}`, pair.count);
      add(counts, `${j}>${pair.item}`, pair.count);
    }
    for (let k = 1; k <= step.reminderPositions; k += 1) repN[k]! += 1;
    if (step.reminderHit > 0) rep[step.reminderHit]! += 1;
  }
  return { weights, counts, marginals, sessions, rep, repN };
}

describe('session step', () => {
  it('summed over a session equals the definition, however many places back it pairs', () => {
    const letters = (count: number) => fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'.slice(0, count));
    const session = fc
      .constantFrom(1, 2, 3, 5, 12, 26)
      .chain((count) => fc.array(letters(count), { maxLength: 60, size: 'max' }));
    fc.assert(
      fc.property(session, fc.constantFrom(10, 1, 3, 25, 50), (sequence, positions) => {
        expect(byStep(sequence, positions)).toEqual(byDefinition(sequence, positions));
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives the worked example of the page', () => {
    expect(sessionStep([], 'a')).toEqual({
      first: true,
      opens: true,
      pairs: [],
      reminderPositions: 0,
      reminderHit: 0,
    });
    expect(sessionStep(['a', 'b'], 'c').pairs).toEqual([
      { item: 'b', forward: 1024, back: 768, count: 1 },
      { item: 'a', forward: 724, back: 543, count: 1 },
    ]);
    // a→b has had 1024 and b→a 768; now b stands before a at distance 1: b→a rises to 1024, a→b stays.
    expect(sessionStep(['a', 'b'], 'a')).toEqual({
      first: false,
      opens: false,
      pairs: [{ item: 'b', forward: 256, back: 0, count: 0 }],
      reminderPositions: 2,
      reminderHit: 2,
    });
  });

  it('has the weights of the page', () => {
    expect(forwardWeights.slice(0, 11)).toEqual([0, 1024, 724, 591, 512, 458, 418, 387, 362, 341, 324]);
    expect(backWeights.slice(0, 11)).toEqual([0, 768, 543, 443, 384, 343, 314, 290, 272, 256, 243]);
  });
});
