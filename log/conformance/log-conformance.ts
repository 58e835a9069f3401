import { describe } from 'vitest';
import type { Log } from '../log.ts';
import { groupCases } from './groups.ts';
import { offsetCases } from './offsets.ts';
import { produceAndReadCases } from './produce-and-read.ts';
import { topicCases } from './topics.ts';
import { transactionCases } from './transactions.ts';

/**
 * The one suite of the log port: every log behind it passes the same cases.
 *
 * Written for a shared broker as much as for a log in memory: topic and group names are new in every case, nothing is
 * said about topics of others, offsets are never taken for dense, whatever may take a while is waited for within a
 * bound.
 *
 *     logConformance('embedded on memory', openLog, supports)
 */
export function logConformance(name: string, openLog: () => Promise<Log>, supports: LogSupports): void {
  describe(`${name} keeps the promises of the log port`, () => {
    for (const cases of [topicCases, produceAndReadCases, offsetCases, transactionCases, groupCases]) {
      cases(openLog, supports);
    }
  });
}

export interface LogSupports {
  /** `ProduceOptions.producer` can be given. */
  readonly producerSequences: boolean;
  /** A rebalance waits for `onRevoked`, so that offsets can be committed in it. */
  readonly awaitsRevocation: boolean;
  /** A record above this is refused before it is sent. */
  readonly maxRecordBytes: number;
  /** Disposes the log and opens the same one again. */
  readonly reopen: (log: Log) => Promise<Log>;
}

export type Cases = (openLog: () => Promise<Log>, supports: LogSupports) => void;
