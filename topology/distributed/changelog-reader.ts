import type { Log, ReadLimits, TopicPartition } from '../../log/index.ts';
import type { GroupCommit } from '../../state/index.ts';
import type { ApplicationState, ChangelogPosition } from '../runtime/application-state.ts';
import type { Changelog } from './changelog.ts';

export interface RestoreOptions {
  readonly log: Pick<Log, 'read' | 'listOffsets' | 'topicId'>;
  readonly commits: GroupCommit;
  readonly state: ApplicationState;
  readonly nowMs: () => number;
  /** A position that is older lacks tombstones that are gone by now: half of the changelog's `delete.retention.ms`. */
  readonly positionAgeMsMax: number;
}

export interface RestoreProgress extends TopicPartition {
  /** The next record to take in, and behind the last one. */
  readonly offset: number;
  readonly endOffset: number;
  /** Taken in so far. */
  readonly records: number;
  /** At most, from the beginning to the end: offsets are not dense. */
  readonly recordsMax: number;
  readonly recordsPerSecond: number;
  /** Until the end, as fast as so far; undefined before the first records. */
  readonly remainingMs: number | undefined;
  /** The local state was of no use, and began empty. */
  readonly full: boolean;
}

/**
 * Brings local state up to the end of its changelog: the tail only, where the folder's position is still good. Call it after the
 * task's transactional id was taken over: nobody else writes the changelog then, and what an earlier owner had begun is settled.
 * Resolves with the id of the changelog's topic.
 */
export async function restore(
  changelog: Changelog,
  options: RestoreOptions,
  { cancelled, onProgress }: Restoring,
): Promise<string> {
  const reader = await ChangelogReader.open(changelog, options);
  while (reader.lagRecords > 0 && !cancelled()) {
    const taken = await reader.next(restoreLimits);
    onProgress(reader.progress, taken);
  }
  return reader.topicId;
}

export interface Restoring {
  /** True: the task was taken away, and the rest is not needed. */
  readonly cancelled: () => boolean;
  /** `taken`: records since the last time. */
  readonly onProgress: (progress: RestoreProgress, taken: number) => void;
}

/** Records of one write. */
const restoreLimits = { maxRecords: 10_000, maxBytes: 4 * 1024 * 1024 };

/** Takes the records of a changelog into the local state, from where the folder is in it. */
export class ChangelogReader {
  readonly topicId: string;
  readonly #changelog: Changelog;
  readonly #options: RestoreOptions;
  readonly #full: boolean;
  readonly #beganAt: number;
  readonly #beganMs = performance.now();
  #offset: number;
  #endOffset: number;
  #records = 0;
  #savedMs: number;

  /** State that is of no use is deleted. */
  static async open(changelog: Changelog, options: RestoreOptions): Promise<ChangelogReader> {
    const { log, commits, state, nowMs } = options;
    const { of, name } = changelog;
    const topicId = await log.topicId(of.topic);
    const endOffset = await log.listOffsets(of, 'latest');
    const position = await state.changelogPosition(name);
    const earliest = await log.listOffsets(of, 'earliest');
    const range = { topicId, earliest, endOffset };
    if (position !== undefined && isGood(position, range, options)) {
      return new ChangelogReader(changelog, options, { ...position, topicId, endOffset, full: false });
    }
    const start = { offset: earliest, committedMs: nowMs(), topicId };
    await commits.submit((writer) => {
      changelog.clear(writer);
      state.stageChangelogPosition(writer, name, start);
    });
    return new ChangelogReader(changelog, options, { ...start, endOffset, full: true });
  }

  private constructor(
    changelog: Changelog,
    options: RestoreOptions,
    start: Required<ChangelogPosition> & { readonly endOffset: number; readonly full: boolean },
  ) {
    this.#changelog = changelog;
    this.#options = options;
    this.topicId = start.topicId;
    this.#full = start.full;
    this.#beganAt = start.offset;
    this.#offset = start.offset;
    this.#endOffset = start.endOffset;
    this.#savedMs = start.committedMs;
  }

  /** What the local state lacks of the changelog, as far as its end is known: offsets, of which not all are records. */
  get lagRecords(): number {
    return Math.max(0, this.#endOffset - this.#offset);
  }

  get progress(): RestoreProgress {
    const seconds = (performance.now() - this.#beganMs) / 1000;
    const offsets = this.#offset - this.#beganAt;
    return {
      ...this.#changelog.of,
      offset: this.#offset,
      endOffset: this.#endOffset,
      records: this.#records,
      recordsMax: this.#endOffset - this.#beganAt,
      recordsPerSecond: this.#records / seconds,
      remainingMs: offsets === 0 ? undefined : (this.lagRecords / offsets) * seconds * 1000,
      full: this.#full,
    };
  }

  /** How many records it took in. */
  async next(limits: ReadLimits): Promise<number> {
    const { log } = this.#options;
    const { records, nextOffset } = await log.read(this.#changelog.of, this.#offset, limits);
    if (nextOffset === this.#offset) return 0;
    await this.#save(nextOffset, (writer) => {
      for (const record of records) this.#changelog.apply(writer, record);
    });
    this.#records += records.length;
    return records.length;
  }

  /** Asks how far the changelog is by now. A position that needs no record more is still a good one: it is kept young. */
  async lookAtEnd(): Promise<void> {
    const { log, nowMs, positionAgeMsMax } = this.#options;
    this.#endOffset = await log.listOffsets(this.#changelog.of, 'latest');
    if (this.lagRecords === 0 && nowMs() - this.#savedMs > positionAgeMsMax / 4) {
      await this.#save(this.#offset, () => undefined);
    }
  }

  async #save(offset: number, apply: (writer: Parameters<Changelog['clear']>[0]) => void): Promise<void> {
    const { commits, state, nowMs } = this.#options;
    const committedMs = nowMs();
    await commits.submit((writer) => {
      apply(writer);
      state.stageChangelogPosition(writer, this.#changelog.name, { offset, committedMs, topicId: this.topicId });
    });
    this.#offset = offset;
    this.#savedMs = committedMs;
  }
}

function isGood(
  position: ChangelogPosition,
  { topicId, earliest, endOffset }: { readonly topicId: string; readonly earliest: number; readonly endOffset: number },
  { nowMs, positionAgeMsMax }: RestoreOptions,
): boolean {
  if (position.topicId !== undefined && position.topicId !== topicId) return false;
  if (position.offset < earliest || position.offset > endOffset) return false;
  return nowMs() - position.committedMs <= positionAgeMsMax;
}
