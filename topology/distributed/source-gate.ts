import type { TopicPartition } from '../../log/index.ts';

/**
 * How far an application reads topics that others write too: asked for by somebody who coordinates several runs over the same ones
 * (docs/architecture/replay.md). What follows from what was read is processed whatever the gate says.
 *
 * Everything that an instance may not miss is looked up when it has taken a task over, behind the fencing of the task's earlier
 * owner. So once a task has told where it holds, no later owner goes further, and no earlier one can commit.
 */
export interface SourceGate {
  /** Reads what was decided by now: before a task is taken over here, and again when it has been. */
  refresh(): Promise<void>;
  /** False: another run of the application has taken over. Tasks are not opened any more, and stay as they are. */
  readonly isOpen: boolean;
  /** Set while topics are not read. */
  readonly hold: SourceHold | undefined;
  /** Where reading a partition ends for now; undefined: where the log ends. Never less than before. */
  endOf(of: TopicPartition): number | undefined;
}

export interface SourceHold {
  /** Tells this time, with these topics, from others. */
  readonly id: string;
  /** What is not read, by full name. */
  readonly topics: ReadonlySet<string>;
  /** Where each task says at which offsets it holds, in the commit that makes it so: a record of `holdKey`. */
  readonly marks: TopicPartition;
}

export function holdKey(holdId: string, taskId: string): string {
  return `held/${holdId}/${taskId}`;
}
