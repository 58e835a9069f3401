import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FetchedRecord, Log, LogRecord, TopicPartition } from '../log.ts';

export const limits = { maxRecords: 1000, maxBytes: 1 << 20 };

export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

export async function newTopic(log: Log, partitions = 1): Promise<TopicPartition> {
  const topic = uniqueName('topic');
  await log.createTopics([{ name: topic, partitions }]);
  return { topic, partition: 0 };
}

export function record(key: string | null, value: string | null, timestamp = 1_700_000_000_000): LogRecord {
  return { key: bytesOf(key), value: bytesOf(value), timestamp };
}

export function records(...values: readonly string[]): LogRecord[] {
  return values.map((value) => record('key', value));
}

export function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

export function valuesOf(of: readonly FetchedRecord[]): (string | null)[] {
  return of.map(({ value }) => textOf(value));
}

/** Reads until `count` records have come, or nothing more does within the bound. Follows `nextOffset`. */
export async function readSome(
  log: Log,
  partition: TopicPartition,
  { from = 0, count, limit = limits }: { from?: number; count: number; limit?: typeof limits },
): Promise<FetchedRecord[]> {
  const found: FetchedRecord[] = [];
  const deadline = Date.now() + patienceMs;
  for (let offset = from; found.length < count && Date.now() < deadline;) {
    const answer = await log.read(partition, offset, limit);
    found.push(...answer.records);
    offset = answer.nextOffset;
    if (answer.records.length === 0) await sleep(pollMs);
  }
  return found;
}

/** All there is now: up to `latest`. */
export async function readAll(log: Log, partition: TopicPartition, from = 0): Promise<FetchedRecord[]> {
  const end = await log.listOffsets(partition, 'latest');
  const found: FetchedRecord[] = [];
  const deadline = Date.now() + patienceMs;
  for (let offset = from; offset < end && Date.now() < deadline;) {
    const answer = await log.read(partition, offset, limits);
    found.push(...answer.records);
    offset = answer.nextOffset;
    if (answer.records.length === 0 && offset < end) await sleep(pollMs);
  }
  return found;
}

/** Waits until the condition holds, at most `patienceMs`; the last answer is returned either way, for an expect. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const holds = await condition();
    if (holds || Date.now() > deadline) return holds;
    await sleep(pollMs);
  }
}

function bytesOf(text: string | null): Uint8Array | null {
  return text === null ? null : new TextEncoder().encode(text);
}

const patienceMs = 20_000;
const pollMs = 5;
