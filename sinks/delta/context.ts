import type { DeltaLog } from './log/delta-log.ts';
import type { DuckDb } from './parquet/duck-db.ts';
import type { Storage } from './storage/storage.ts';

/** What every operation on a table works with. */
export interface TableContext {
  readonly storage: Storage;
  readonly db: DuckDb;
  readonly log: DeltaLog;
}
