import type { ConsumedOffset, Log, LogRecord, TopicPartition, TransactionalProducer } from '../../log/index.ts';

/** Kafka's `processing.guarantee`. */
export type ProcessingGuarantee = 'exactly_once' | 'at_least_once';

/** How what a task has done gets into the log, around the write of the local state. */
export interface TaskCommitter {
  /**
   * Before the write: what it has sent, outputs and changelogs. The offset behind the last record of each partition, where known.
   * @throws MillraceError what the log throws; then the task has to be given up, and opened again
   */
  send(parts: readonly Part[], consumed: readonly ConsumedOffset[]): Promise<readonly ConsumedOffset[]>;
  /** After it. */
  finish(consumed: readonly ConsumedOffset[]): Promise<void>;
}

/** Records for one partition. */
export interface Part {
  readonly partition: TopicPartition;
  readonly records: readonly LogRecord[];
}

/** One transaction with the offsets. The producer's id fences an owner that lost the task. */
export function exactlyOnce(producer: TransactionalProducer, group: string): TaskCommitter {
  return {
    send: async (parts, consumed) => {
      const transaction = producer.begin();
      for (const { partition, records } of parts) transaction.send(partition, records);
      transaction.sendOffsets(group, consumed);
      return await transaction.commit();
    },
    finish: async () => undefined,
  };
}

/**
 * No transaction: offsets are committed when everything else is durable. Whoever dies in between does again what it had done, and
 * an owner that lost the task may still append: records count once or more often, none is lost.
 */
export function atLeastOnce(
  log: Pick<Log, 'produce'>,
  commitOffsets: (offsets: readonly ConsumedOffset[]) => Promise<void>,
): TaskCommitter {
  return {
    send: async (parts) =>
      await Promise.all(
        parts.map(async ({ partition, records }) => {
          const { baseOffset } = await log.produce(partition, records);
          return { ...partition, offset: baseOffset + records.length };
        }),
      ),
    finish: commitOffsets,
  };
}
