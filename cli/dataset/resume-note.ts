import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../../schemas/index.ts';

/**
 * How far the files of a dataset have been loaded into a data folder:
 *
 *     DIR/dataset.json   { "dataset": "uci", "logEnds": [525461], "files": { "year-1.csv.br": { "rows": 525461, "done": true } } }
 *
 * A note that saves time and decides nothing: rows that are loaded again change nothing. It must only never say too
 * much. It is written after the log has acknowledged the rows, and names where the log's partitions ended then; after a power
 * loss that took the end of the log but not the note, the log is shorter than it says, and the note is not believed.
 */
export interface ResumeNote {
  readonly dataset: string;
  /** End offsets of the topics that the dataset fills, a topic after the other by partition, when the note was written. */
  readonly logEnds: readonly number[];
  readonly files: { readonly [file: string]: FileNote };
}

export interface FileNote {
  /** Loaded and acknowledged, from the first on. */
  readonly rows: number;
  readonly done: boolean;
}

const fileName = 'dataset.json';

/** The note of the folder, empty when there is none that can be believed. */
export async function readResumeNote(
  dataDir: string,
  dataset: string,
  logEnds: readonly number[],
): Promise<ResumeNote> {
  const nothing: ResumeNote = { dataset, logEnds, files: {} };
  const note = await readJson(join(dataDir, fileName));
  if (!isResumeNote(note) || note.dataset !== dataset || note.logEnds.length !== logEnds.length) return nothing;
  return note.logEnds.every((end, partition) => end <= logEnds[partition]!) ? note : nothing;
}

/**
 * Two datasets in one folder would be no shop anybody knows.
 * @throws MillraceError `INVALID_ARGUMENT` when the folder was begun with another.
 */
export async function requireDataset(dataDir: string, dataset: string): Promise<void> {
  const note = await readJson(join(dataDir, fileName));
  if (!isResumeNote(note) || note.dataset === dataset) return;
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `--dataset ${dataset} wants a data folder of its own, and ${dataDir} has ${note.dataset}: name another with --data-dir`,
    { folder: dataDir, wanted: dataset, found: note.dataset },
  );
}

/** Undefined where there is no file, as before the first note, or no JSON in it; any other trouble is thrown. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeResumeNote(dataDir: string, note: ResumeNote): Promise<void> {
  const path = join(dataDir, fileName);
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, `${JSON.stringify(note)}\n`);
  await rename(temporary, path);
}

function isResumeNote(value: unknown): value is ResumeNote {
  if (!isObject(value) || typeof value['dataset'] !== 'string' || !isObject(value['files'])) return false;
  const { logEnds, files } = value;
  const isFileNote = (note: unknown) => isObject(note) && isRows(note['rows']) && typeof note['done'] === 'boolean';
  return Array.isArray(logEnds) && logEnds.every(isRows) && Object.values(files as object).every(isFileNote);
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRows(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
