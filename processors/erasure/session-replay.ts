import type { Interaction } from '../../schemas/index.ts';
import { HeapStore } from '../packed/heap-store.ts';
import type { PairStep } from '../pairs/pair-step.ts';
import type { PairTotals } from '../pairs/pair-totals.ts';
import type { Session } from '../sessions/session.ts';
import { sessionKey } from '../sessions/session-key.ts';
import { SessionProcessor, type SessionParameters } from '../sessions/session-processor.ts';
import { storeNames } from '../store-names.ts';
import { runDetached } from './detached-processor.ts';

/** What some sessions have come to, and what they have told the pair tables, from all their events. */
export interface SessionReplay {
  readonly sessions: ReadonlyMap<string, Session>;
  /** Of these sessions alone, by relation. */
  readonly totals: ReadonlyMap<string, PairTotals>;
  readonly steps: readonly PairStep[];
}

/** Runs the session step over events of whole sessions, in the order of the log. */
export async function replaySessions(
  events: readonly Interaction[],
  parameters: SessionParameters,
): Promise<SessionReplay> {
  const sessions = new HeapStore<string, Session>(storeNames.sessions);
  const totals = new HeapStore<string, PairTotals>(storeNames.pairTotals);
  const steps: PairStep[] = [];
  const records = events.map((value) => ({ key: sessionKey(value), value, timestamp: value.timestamp, headers: [] }));
  await runDetached<Interaction, PairStep>(new SessionProcessor(parameters), records, {
    partition: 0,
    store: (name) => (name === storeNames.sessions ? sessions : totals),
    forward: ({ value }) => steps.push(value),
  });
  return { sessions: new Map(sessions.entries()), totals: new Map(totals.entries()), steps };
}
