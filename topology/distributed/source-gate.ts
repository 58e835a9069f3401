import type { TopicPartition } from '../../log/index.ts';

/**
 * How far an application reads its *sources*, the topics that it does not write: asked for by somebody who coordinates several runs
 * over the same topics (docs/architecture/replay.md). What follows from what was read is processed whatever the gate says.
 *
 * Everything that an instance may not miss is looked up when it has taken a task over, behind the fencing of the task's earlier
 * owner. So once a task has told where it holds, no later owner goes further, and no earlier one can commit.
 */
export interface SourceGate {
  /** Reads what was decided by now: before a task is taken over here, and again when it has been. */
  refresh(): Promise<void>;
  /** False: another run of the application has taken over. Tasks are not opened any more, and stay as they are. */
  readonly isOpen: boolean;
  /** Set while no source is read. */
  readonly hold: SourceHold | undefined;
  /** Where reading a source ends for now; undefined: where the log ends. Never less than before. */
  endOf(source: TopicPartition): number | undefined;
}

export interface SourceHold {
  /** Tells this time from others. */
  readonly id: string;
  /** Where each task says at which offsets it holds, in the commit that makes it so: a record of `holdKey`. */
  readonly marks: TopicPartition;
}

export function holdKey(holdId: string, taskId: string): string {
  return `held/${holdId}/${taskId}`;
}
