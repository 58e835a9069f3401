import type { Engine } from './engine.ts';

/**
 * One step of a data folder's format, from a number to the next.
 *
 *     format.json says 1 ─ open ─ step 1 → 2 (one synced batch) ─ format.json says 2 ─ step 2 → 3 … ─ the folder is open
 *
 * Steps run before anybody else sees the database. A process that dies in between leaves either number; with the lower
 * one the step runs again over what it has done already, so a step must bear being repeated. A number without a step
 * changes nothing of what is stored, it only keeps older programs away.
 */
export interface Migration {
  readonly from: number;
  /** A sentence for people. */
  readonly what: string;
  run(engine: Engine): Promise<void>;
}

export interface Migrated {
  readonly from: number;
  readonly to: number;
  readonly what: string;
}
