import type { StateStore } from '../../state/index.ts';
import { ChangelogReader } from './changelog-reader.ts';
import type { AssignedTask, DistributedEnvironment } from './environment.ts';
import { changelogsOf, storesOf } from './task-state.ts';

/**
 * A replica of a task's state: it follows the changelogs and runs nothing, so that taking the task over needs their tail only
 * (Kafka Streams' standby task). A task that is open here must not have one: both would write the same rows.
 */
export class StandbyTask {
  /** For reading what is committed. */
  readonly stores: ReadonlyMap<string, StateStore>;
  readonly #environment: DistributedEnvironment;
  readonly #task: AssignedTask;
  #readers: readonly ChangelogReader[] | undefined;
  #lookedAtEndMs = 0;
  #following: Promise<boolean> = Promise.resolve(false);
  #closed = false;

  constructor(environment: DistributedEnvironment, task: AssignedTask) {
    this.#environment = environment;
    this.#task = task;
    this.stores = storesOf(environment, task);
  }

  /** Over its changelogs together; undefined before it has looked at them. */
  get lagRecords(): number | undefined {
    return this.#readers?.reduce((sum, { lagRecords }) => sum + lagRecords, 0);
  }

  /**
   * Takes in the next records of each changelog; true when there were some.
   * @throws MillraceError what the log throws; the next time it begins with a look at what the folder has
   */
  async follow(): Promise<boolean> {
    if (this.#closed) return false;
    this.#following = this.#follow();
    return await this.#following;
  }

  /** When it resolves nothing more is written. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#following.catch(() => undefined); // Heard by who follows.
  }

  async #follow(): Promise<boolean> {
    try {
      this.#readers ??= await this.#open();
      const taken = await Promise.all(this.#readers.map((reader) => reader.next(limits)));
      const now = performance.now();
      if (now - this.#lookedAtEndMs >= lookAtEndMs) {
        this.#lookedAtEndMs = now;
        await Promise.all(this.#readers.map((reader) => reader.lookAtEnd()));
      }
      return taken.some((records) => records > 0);
    } catch (error) {
      this.#readers = undefined;
      throw error;
    }
  }

  async #open(): Promise<ChangelogReader[]> {
    const { stores, clocks } = changelogsOf(this.#environment, this.#task);
    return await Promise.all(
      [...stores.values(), clocks].map((changelog) => ChangelogReader.open(changelog, this.#environment.restoring)),
    );
  }
}

/** Of one write: small, for it shares the thread with the tasks that run. */
const limits = { maxRecords: 2000, maxBytes: 1024 * 1024 };
/** How old the lag may be. */
const lookAtEndMs = 1000;
