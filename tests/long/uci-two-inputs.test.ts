import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  compareState,
  formatComparison,
  type LogEvent,
  readerOf,
  recomputeLog,
  recomputeUci,
} from '../../models/recompute/index.ts';
import { interactionKey, openUciOnlineRetail } from '../../sources/index.ts';

/**
 * The two inputs of the recomputation against each other: the source files, with the rules of ingest in SQL, and the
 * events that `sources/` makes of them, event ids included.
 */
const year = fileURLToPath(new URL('../../data/uci-online-retail/year-2.csv.br', import.meta.url));

test('the events of sources/ say what the files say, in four partitions and with a file loaded twice', async () => {
  const files = await recomputeUci([year]);
  const log = await recomputeLog(events([year, year]));
  const comparison = await compareState(files, readerOf(log));
  expect(formatComparison(comparison)).toMatch(/Everything compared is equal/);
  expect(log.counts.accepted).toBe(files.counts.accepted);
  expect(log.counts.duplicates).toBeGreaterThan(files.counts.duplicates);
});

async function* events(paths: readonly string[]): AsyncGenerator<LogEvent> {
  for (const path of paths) {
    for await (const batch of (await openUciOnlineRetail(path)).batches()) {
      for (const value of batch.events) yield { partition: partitionOf(interactionKey(value)), value };
    }
  }
}

/** Any function of the key will do. */
function partitionOf(key: string): number {
  let sum = 0;
  for (let at = 0; at < key.length; at++) sum += key.charCodeAt(at);
  return sum % 4;
}
