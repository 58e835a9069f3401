import fc from 'fast-check';

/**
 * What happens to a topology: rounds of records, each round enqueued as a whole and then processed to its end in
 * batches of `maxBatchRecords`; in one of them the process dies after some batches. Then the wall clock moves.
 */
export interface History {
  readonly rounds: readonly Round[];
  readonly config: {
    /** Between tasks through bytes and the log, or as the objects they are. */
    readonly roundTrip: boolean;
    /** Little: what is clean leaves the stores' caches after every commit and has to be loaded again. */
    readonly storeCacheBytes: number;
    readonly maxFetchRecords: number;
  };
}

export interface Round {
  readonly records: readonly InputRecord[];
  readonly maxBatchRecords: number;
  /** A commit in the midst of the round. */
  readonly commitAfterBatches: number | undefined;
  /** The process dies after that many batches of the round, uncommitted, and starts again. */
  readonly crashAfterBatches: number | undefined;
  readonly advanceWallClockMs: number;
}

export interface InputRecord {
  /** Modulo the topics there are. */
  readonly topic: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

const record = fc.record({
  topic: fc.nat({ max: 2 }),
  key: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e') },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  value: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8', '9') },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
  /** Ties, small steps, leaps, and back into the past. */
  stepMs: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 7, 20, -1, -4, -12, -30),
});

const round = fc.record({
  records: fc.array(record, { minLength: 0, maxLength: 30, size: 'max' }),
  maxBatchRecords: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(1_000)),
  commitAfterBatches: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 2 }),
  crashAfterBatches: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined, freq: 2 }),
  advanceWallClockMs: fc.constantFrom(0, 0, 4, 30),
});

const config = fc.record({
  roundTrip: fc.boolean(),
  storeCacheBytes: fc.constantFrom(0, 1 << 20),
  maxFetchRecords: fc.constantFrom(2, 5, 2_000),
});

export function historyArbitrary(maxRounds: number): fc.Arbitrary<History> {
  return fc.tuple(fc.array(round, { minLength: 1, maxLength: maxRounds }), config).map(([rounds, configured]) => {
    let now = 40;
    return {
      config: configured,
      rounds: rounds.map(({ records, ...rest }) => ({
        ...rest,
        records: records.map(({ stepMs, ...each }) => {
          now = Math.max(0, now + stepMs);
          return { ...each, timestamp: now };
        }),
      })),
    };
  });
}
