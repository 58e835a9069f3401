import type { Log } from '../../log/index.ts';
import type { GroupCommit } from '../../state/index.ts';
import type { ApplicationState } from '../runtime/application-state.ts';

/**
 * The group's member of this folder. One that was killed stays in the group until its session times out (45 s), and the group waits for
 * it. But a folder has one process at a time: whoever opens it knows that the member before is gone, and takes it out.
 *
 * Kafka's own answer, static membership (KIP-345), keeps the tasks for an instance that has a name of its own; here the folder is the
 * name. Where a folder was copied beside its living instance, that one is taken out: it forgets what it did not commit and joins anew.
 */
export class FolderMember {
  readonly #group: string;
  readonly #log: Pick<Log, 'removeMember'>;
  readonly #state: ApplicationState;
  readonly #commits: GroupCommit;
  #written: string | undefined;

  constructor({ group, log, state, commits }: FolderMemberOf) {
    this.#group = group;
    this.#log = log;
    this.#state = state;
    this.#commits = commits;
  }

  /** Before another joins. */
  async removeFormer(): Promise<void> {
    const former = await this.#state.memberId();
    if (former !== undefined) await this.#log.removeMember(this.#group, former);
  }

  async remember(memberId: string): Promise<void> {
    if (memberId === this.#written) return;
    this.#written = memberId;
    await this.#commits.submit((writer) => this.#state.stageMemberId(writer, memberId));
  }
}

export interface FolderMemberOf {
  readonly group: string;
  readonly log: Pick<Log, 'removeMember'>;
  readonly state: ApplicationState;
  readonly commits: GroupCommit;
}
