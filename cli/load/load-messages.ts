import type { MessagePort } from 'node:worker_threads';
import type { ConfluentRegistryOptions } from '../../schemas/index.ts';
import type { ErrorFields } from '../../serving/host/index.ts';
import type { GeneratorParameters } from '../../sources/index.ts';
import type { CatalogueOptions } from './catalogue-formats.ts';
import type { Tally } from './tallied-target.ts';

/** What the thread that reads a file is started with. */
export interface LoadJob {
  readonly path: string;
  readonly format: string;
  /** The file is a catalogue of products, not of events; `skipRows` and `pace` do not matter. */
  readonly catalogue?: CatalogueOptions;
  /** The file is a catalogue, and the events are generated over it; `format` does not matter. */
  readonly generated?: GeneratedJob;
  /** Of the schema registry, unless there is one beside a cluster. */
  readonly dataDir: string;
  readonly registry?: ConfluentRegistryOptions | undefined;
  readonly partitions: number;
  /** A port of the thread that owns the log. */
  readonly host: MessagePort;
  /** Rows that an earlier run has loaded. */
  readonly skipRows: number;
  /** Events per second; 0 is as fast as possible. */
  readonly pace: number;
  /** Rows before this one come as fast as possible whatever the pace. Default 0. */
  readonly paceFromRow?: number;
}

export interface GeneratedJob {
  readonly parameters: Partial<GeneratorParameters>;
  /** Given: all events of so many minutes from the stream's first on, at once. Else: live, from now on. */
  readonly minutes?: number;
}

export interface LoadProgress extends Tally {
  /** Of the file, from its first on: in the log by this run or, as far as they were skipped, an earlier one. */
  readonly rows: number;
  readonly bytesRead: number;
  readonly bytesTotal: number | undefined;
  /** Of a catalogue: fields that became unknown, by field. */
  readonly unusable?: Readonly<Record<string, number>>;
}

export type LoadMessage =
  | { readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly kind: 'done'; readonly progress: LoadProgress }
  /** Asked to stop before the end. */
  | { readonly kind: 'stopped'; readonly progress: LoadProgress }
  | { readonly kind: 'failed'; readonly error: ErrorFields };
