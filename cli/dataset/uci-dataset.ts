import { fileURLToPath } from 'node:url';
import { storeNames } from '../../processors/index.ts';
import type { ExampleQuery } from './examples.ts';

/** A file of the repository, at the same place beside the sources and beside the built files. */
export interface DatasetFile {
  readonly name: string;
  readonly label: string;
  readonly path: string;
  /** Lines but the header. */
  readonly rows: number;
}

function dataFile({ name, label, rows }: Omit<DatasetFile, 'path'>): DatasetFile {
  return { name, label, rows, path: fileURLToPath(new URL(`../../data/uci-online-retail/${name}`, import.meta.url)) };
}

/** UCI Online Retail: what `npm start` runs on. The second year begins with nine days of the first. */
export const uciDataset = {
  name: 'uci',
  format: 'uci',
  title: 'UCI Online Retail',
  backfill: dataFile({ name: 'year-1.csv.br', label: 'Year 1', rows: 525_461 }),
  /** The lines of year 2 that year 1 has too stand at its beginning. Being known they change nothing, so nobody waits for them. */
  overlapRows: 22_523,
  live: dataFile({ name: 'year-2.csv.br', label: 'Year 2', rows: 541_909 }),
} as const;

/**
 * Look-ups whose answers the second year does not change, so that they stay right while it streams in. The lines that
 * both years have are the same events; what else the second year has lies after 9 December 2010.
 */
export const uciExamples: readonly ExampleQuery[] = [
  {
    what: 'Three days of the best seller, WHITE HANGING HEART T-LIGHT HOLDER',
    path: '/v1/products/85123A/stats?window=day&from=2010-06-01&to=2010-06-04',
  },
  { what: 'A customer who never came back after the first year', path: '/v1/users/17380/profile' },
  {
    what: 'A row of a state store: the session of the first invoice',
    path: `/v1/stores/${storeNames.sessions}/keys/s:489434`,
  },
];
