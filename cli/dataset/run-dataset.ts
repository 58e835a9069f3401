import { shopTopics } from '../../processors/index.ts';
import type { Host } from '../../serving/host/index.ts';
import { followLoad, followProcessing } from '../load/follow-load.ts';
import { loadFile, type LoadOptions, type LoadResult } from '../load/load-file.ts';
import type { LoadProgress } from '../load/load-messages.ts';
import { startProgress, whole } from '../progress.ts';
import { print } from '../terminal.ts';
import { askExamples, untilServed } from './examples.ts';
import { readResumeNote, type ResumeNote, writeResumeNote } from './resume-note.ts';
import { type DatasetFile, uciDataset, uciExamples } from './uci-dataset.ts';

export interface DatasetOptions {
  readonly host: Host;
  readonly url: string;
  readonly dataDir: string;
  readonly pace: number;
  /** False: no second year. */
  readonly live: boolean;
  readonly signal: AbortSignal;
}

/** The first year as a backfill, examples to try, then the second year live. Returns at its end, or when stopped. */
export async function runDataset(options: DatasetOptions): Promise<void> {
  const { host, url, pace, live, signal } = options;
  const run = await DatasetRun.begin(options);
  if (!(await run.backfill(uciDataset.backfill))) return;
  if (!(await followProcessing('Processing', host, signal))) return;
  await untilServed(url, await host.request<'caughtUp'>({ kind: 'caughtUp' }), signal);
  if (signal.aborted) return;
  await printExamples(url);
  if (!live || signal.aborted) return;
  const speed = pace === 0 ? 'as fast as it goes' : `${whole(pace)} events a second`;
  print(`Streaming year 2 live, ${speed} (--pace). Ctrl-C stops, and the next start goes on.\n`);
  if (await run.stream(uciDataset.live, pace)) {
    print('Year 2 has been streamed to its end. The server goes on; Ctrl-C stops it.');
  }
}

async function printExamples(url: string): Promise<void> {
  print(`\n  ${url}/      the page\n  ${url}/docs  every route\n`);
  print("Try these. The answers are this server's, less their asOf, and stay while the second year comes in:\n");
  for (const { what, command, answer } of await askExamples(url, uciExamples)) {
    print(`# ${what}\n$ ${command}\n${answer}\n`);
  }
}

const noteEveryMs = 1000;

/** Loads the files of the dataset, going on where the note of the folder says. */
class DatasetRun {
  readonly #options: DatasetOptions;
  #note: ResumeNote;
  #noting = Promise.resolve();
  #notedAt = performance.now();

  static async begin(options: DatasetOptions): Promise<DatasetRun> {
    const note = await readResumeNote(options.dataDir, uciDataset.name, await logEnds(options.host));
    return new DatasetRun(options, note);
  }

  private constructor(options: DatasetOptions, note: ResumeNote) {
    this.#options = options;
    this.#note = note;
  }

  /** True when all of the file is in the log, now or since an earlier start. */
  async backfill(file: DatasetFile): Promise<boolean> {
    if (this.#isDone(file)) return true;
    const begun = performance.now();
    const { processed, progress } = await this.#load(file, (options) =>
      followLoad({ ...options, label: file.label, pace: 0 }),
    );
    if (!processed) return false;
    const seconds = (performance.now() - begun) / 1000;
    const { events, rejected, acknowledgedRows } = progress;
    print(
      `${file.label} of ${uciDataset.title}: ${whole(events)} events and ${whole(rejected)} unusable lines in ` +
        `${seconds.toFixed(1)} s, ${whole(acknowledgedRows / seconds)} lines/s.`,
    );
    return true;
  }

  /** True when the file has come to its end. */
  async stream(file: DatasetFile, pace: number): Promise<boolean> {
    if (this.#isDone(file)) return true;
    const bar = startProgress(file.label, 'rows');
    try {
      const { kind } = await this.#load(file, (options) =>
        loadFile({
          ...options,
          pace,
          paceFromRow: uciDataset.overlapRows,
          onProgress(progress) {
            options.onProgress(progress);
            bar.update(progress.rows, file.rows);
          },
        }),
      );
      return kind === 'done';
    } finally {
      bar.stop();
    }
  }

  #isDone(file: DatasetFile): boolean {
    return this.#note.files[file.name]?.done === true;
  }

  async #load<Result extends LoadResult>(
    file: DatasetFile,
    load: (options: Omit<LoadOptions, 'pace'>) => Promise<Result>,
  ): Promise<Result> {
    const { host, dataDir, signal } = this.#options;
    const loaded = await load({
      ...{ host, dataDir, signal, path: file.path, format: uciDataset.format },
      skipRows: this.#note.files[file.name]?.rows ?? 0,
      onProgress: (progress) => {
        if (performance.now() - this.#notedAt >= noteEveryMs) this.#write(file, progress, false);
      },
    });
    this.#write(file, loaded.progress, loaded.kind === 'done');
    await this.#noting;
    return loaded;
  }

  #write(file: DatasetFile, { rows }: LoadProgress, done: boolean): void {
    this.#notedAt = performance.now();
    this.#noting = this.#noting.then(async () => {
      const { host, dataDir } = this.#options;
      const files = { ...this.#note.files, [file.name]: { rows, done } };
      this.#note = { ...this.#note, logEnds: await logEnds(host), files };
      await writeResumeNote(dataDir, this.#note);
    });
    this.#noting.catch(() => undefined); // Awaited at the end of the load.
  }
}

/** Where the partitions of `interactions` end. */
async function logEnds(host: Host): Promise<readonly number[]> {
  const lags = await host.request<'lag'>({ kind: 'lag' });
  return lags
    .filter(({ topic }) => topic === shopTopics.interactions)
    .toSorted((left, right) => left.partition - right.partition)
    .map(({ endOffset }) => endOffset);
}
