import type { Interaction } from '../../schemas/index.ts';
import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import type { PairStep } from '../pairs/pair-step.ts';
import { addToTotals, emptyPairTotals, type PairTotals } from '../pairs/pair-totals.ts';
import { eventRelations, relationOf, type EventRelation } from '../pairs/relation.ts';
import { sessionStep } from '../pairs/session-step.ts';
import { viewedThenBought } from '../pairs/viewed-then-bought.ts';
import { defaultShopParameters, type ShopParameters } from '../shop-parameters.ts';
import { storeNames } from '../store-names.ts';
import { addToSession, newSession, sequenceOf, sessionEventsMax, type Session } from './session.ts';
import { sessionKey } from './session-key.ts';

/**
 * Clean interactions → steps for the pair tables, in the order of the log (key in: session key; key out: the item).
 * Events that take part in no relation pass silently; so do those beyond a session's 200th, which are counted.
 */
export class SessionProcessor implements Processor<string, Interaction, string, PairStep> {
  readonly #parameters: SessionParameters;
  #context!: ProcessorContext<string, PairStep>;
  #sessions!: KeyValueStore<string, Session>;
  #totals!: KeyValueStore<string, PairTotals>;

  constructor(parameters: SessionParameters = defaultShopParameters) {
    this.#parameters = parameters;
  }

  init(context: ProcessorContext<string, PairStep>): void {
    this.#context = context;
    this.#sessions = context.getStateStore(storeNames.sessions);
    this.#totals = context.getStateStore(storeNames.pairTotals);
  }

  async load(records: readonly Record<string, Interaction>[]): Promise<void> {
    const keys = new Set<string>();
    for (const { value } of records) if (relationOf(value) !== undefined) keys.add(sessionKey(value));
    await Promise.all([this.#sessions.load(keys), this.#totals.load(eventRelations)]);
  }

  process(record: Record<string, Interaction>): void {
    const event = record.value;
    const relation = relationOf(event);
    if (relation === undefined) return;
    const key = sessionKey(event);
    const session = this.#open(key, event);
    session.events += 1;
    if (event.timestamp > session.lastMs) session.lastMs = event.timestamp;
    if (session.events <= sessionEventsMax) this.#step(session, relation, record);
    this.#sessions.put(key, session);
  }

  #open(key: string, event: Interaction): Session {
    const session = this.#sessions.getLoaded(key);
    if (session === undefined) return newSession();
    const ended = event.sessionId === null && event.timestamp - session.lastMs > this.#parameters.sessionGapMs;
    return ended ? newSession() : session;
  }

  #step(session: Session, relation: EventRelation, record: Record<string, Interaction>): void {
    const item = record.value.productId;
    const { pairPositions } = this.#parameters;
    const step = sessionStep(sequenceOf(session, relation), item, pairPositions);
    addToSession(session, item, relation);

    const totals = this.#totals.getLoaded(relation) ?? emptyPairTotals();
    if (addToTotals(totals, step)) this.#totals.put(relation, totals);
    const { first, pairs } = step;
    if (first || pairs.length > 0) this.#forward({ relation, item, first, pairs }, record);
    if (relation !== 'bought' || !first) return;
    const ways = viewedThenBought(sequenceOf(session, 'viewed'), item, pairPositions);
    if (ways.length > 0) this.#forward({ relation: 'viewed-bought', item, first: false, pairs: ways }, record);
  }

  #forward(step: PairStep, { timestamp, headers }: Record<string, Interaction>): void {
    this.#context.forward({ key: step.item, value: step, timestamp, headers });
  }
}

export type SessionParameters = Pick<ShopParameters, 'pairPositions' | 'sessionGapMs'>;
