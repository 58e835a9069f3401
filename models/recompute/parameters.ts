/** What the rules are counted by. A state has been made with some; the recomputation of it wants the same. */
export interface Parameters {
  /** How many places back in a session an item is paired with others. */
  readonly pairPositions: number;
  /** A longer silence ends a session window, and a session without an id. */
  readonly sessionGapMs: number;
  /** Of two events with one id, user and session, at most this far apart in event time, the later in log order is dropped. */
  readonly dedupeHorizonMs: number;
}

/** The page's (docs/architecture/shop.md). */
export const pageParameters: Parameters = {
  pairPositions: 10,
  sessionGapMs: 30 * 60 * 1000,
  dedupeHorizonMs: 24 * 60 * 60 * 1000,
};
