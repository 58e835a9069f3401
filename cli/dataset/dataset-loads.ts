import type { Host } from '../../serving/host/index.ts';
import { followLoad } from '../load/follow-load.ts';
import { loadFile, type LoadOptions, type LoadResult } from '../load/load-file.ts';
import type { LoadProgress } from '../load/load-messages.ts';
import { startProgress } from '../progress.ts';
import { print } from '../terminal.ts';
import { readResumeNote, type ResumeNote, writeResumeNote } from './resume-note.ts';

/** What every dataset is run with. */
export interface DatasetOptions {
  readonly host: Host;
  readonly url: string;
  readonly dataDir: string;
  readonly pace: number;
  /** False: nothing after the load. */
  readonly live: boolean;
  readonly signal: AbortSignal;
}

/** One of the loads that a dataset consists of. */
export interface DatasetPart extends Pick<
  LoadOptions,
  'path' | 'format' | 'catalogue' | 'generated' | 'pace' | 'paceFromRow'
> {
  /** In the resume note. */
  readonly name: string;
  readonly label: string;
  /** Rows that it will have, for the bar. Default: by the part of the file that was read. */
  readonly rows?: number;
}

const noteEveryMs = 1000;

/** The loads of a dataset into a folder, each going on where the folder's note says. */
export class DatasetLoads {
  readonly #options: DatasetOptions;
  readonly #topics: readonly string[];
  #note: ResumeNote;
  #noting = Promise.resolve();
  #notedAt = performance.now();

  /** `topics` are those that the dataset fills. */
  static async begin(
    options: DatasetOptions,
    { dataset, topics }: { readonly dataset: string; readonly topics: readonly string[] },
  ): Promise<DatasetLoads> {
    const note = await readResumeNote(options.dataDir, dataset, await logEnds(options.host, topics));
    return new DatasetLoads(options, topics, note);
  }

  private constructor(options: DatasetOptions, topics: readonly string[], note: ResumeNote) {
    this.#options = options;
    this.#topics = topics;
    this.#note = note;
  }

  /** True when all of the part is processed, now or since an earlier start; `tell` says what it was. */
  async backfill(part: DatasetPart, tell: (progress: LoadProgress, seconds: number) => string): Promise<boolean> {
    if (this.#isDone(part)) return true;
    const begun = performance.now();
    const { processed, progress } = await this.#load(part, (options) =>
      followLoad({ ...options, label: part.label, ...(part.rows !== undefined && { rowsTotal: part.rows }) }),
    );
    if (processed) print(tell(progress, (performance.now() - begun) / 1000));
    return processed;
  }

  /** True when the part has come to its end. */
  async stream(part: DatasetPart & { readonly rows: number }): Promise<boolean> {
    if (this.#isDone(part)) return true;
    const bar = startProgress(part.label, 'rows');
    try {
      const { kind } = await this.#load(part, (options) =>
        loadFile({
          ...options,
          onProgress(progress) {
            options.onProgress(progress);
            bar.update(progress.rows, part.rows);
          },
        }),
      );
      return kind === 'done';
    } finally {
      bar.stop();
    }
  }

  #isDone(part: DatasetPart): boolean {
    return this.#note.files[part.name]?.done === true;
  }

  async #load<Result extends LoadResult>(
    part: DatasetPart,
    load: (options: LoadOptions) => Promise<Result>,
  ): Promise<Result> {
    const { host, dataDir, signal } = this.#options;
    const { name, label: _, rows: __, ...job } = part;
    const loaded = await load({
      ...job,
      ...{ host, dataDir, signal },
      skipRows: this.#note.files[name]?.rows ?? 0,
      onProgress: (progress) => {
        if (performance.now() - this.#notedAt >= noteEveryMs) this.#write(name, progress, false);
      },
    });
    this.#write(name, loaded.progress, loaded.kind === 'done');
    await this.#noting;
    return loaded;
  }

  #write(name: string, { rows }: LoadProgress, done: boolean): void {
    this.#notedAt = performance.now();
    this.#noting = this.#noting.then(async () => {
      const { host, dataDir } = this.#options;
      const files = { ...this.#note.files, [name]: { rows, done } };
      this.#note = { ...this.#note, logEnds: await logEnds(host, this.#topics), files };
      await writeResumeNote(dataDir, this.#note);
    });
    this.#noting.catch(() => undefined); // Awaited at the end of the load.
  }
}

/** Where the partitions of the topics end, a topic after the other. */
async function logEnds(host: Host, topics: readonly string[]): Promise<readonly number[]> {
  const lags = await host.request<'lag'>({ kind: 'lag' });
  return topics.flatMap((of) =>
    lags
      .filter(({ topic }) => topic === of)
      .toSorted((left, right) => left.partition - right.partition)
      .map(({ endOffset }) => endOffset),
  );
}
