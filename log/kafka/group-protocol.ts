import { assignPartitions, type Assigned, type Subscriber } from '../assignment.ts';
import { nameOf } from './delivery.ts';
import { assignerProtocol } from './kafkajs.ts';

/**
 * What members of a group tell each other through the coordinator: in the consumer protocol's own format, so that Kafka's tools
 * show it, with what a member owns as user data.
 */
export const protocolName = 'millrace-cooperative';

export interface Membership {
  readonly topics: readonly string[];
  readonly owned: readonly Assigned[];
}

export function encodeMembership({ topics, owned }: Membership): Buffer {
  const userData = Buffer.from(JSON.stringify({ owned: numbersByTopic(owned) }));
  return assignerProtocol().MemberMetadata.encode({ version: 0, topics: [...topics], userData });
}

export function decodeMembership(memberId: string, metadata: Buffer): Subscriber {
  const decoded = assignerProtocol().MemberMetadata.decode(metadata);
  if (decoded === null) return { memberId, topics: [], owned: [] };
  const { owned } = JSON.parse(decoded.userData.toString()) as { owned: Record<string, number[]> };
  return { memberId, topics: decoded.topics, owned: fromNumbers(owned) };
}

export function encodeAssignment(assigned: readonly Assigned[]): Buffer {
  const assignment = numbersByTopic(assigned);
  return assignerProtocol().MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) });
}

export function decodeAssignment(bytes: Buffer): Assigned[] {
  if (bytes.length === 0) return [];
  return fromNumbers(assignerProtocol().MemberAssignment.decode(bytes)?.assignment ?? {});
}

/**
 * Incremental cooperative rebalancing (KIP-429): who keeps a partition goes on with it through the rebalance, and what
 * changes hands is given to nobody until its owner has said, by joining again, that it has let go.
 */
export function assignCooperatively(
  members: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, Assigned[]> {
  const owners = new Map<string, string>();
  for (const { memberId, owned } of members) for (const each of owned) owners.set(nameOf(each), memberId);
  const target = assignPartitions(members, partitionCounts);
  for (const [memberId, assigned] of target) {
    const free = assigned.filter((each) => (owners.get(nameOf(each)) ?? memberId) === memberId);
    target.set(memberId, free);
  }
  return target;
}

/** What is in the first and not in the second. */
export function without(these: readonly Assigned[], those: readonly Assigned[]): Assigned[] {
  const names = new Set(those.map(nameOf));
  return these.filter((each) => !names.has(nameOf(each)));
}

function numbersByTopic(assigned: readonly Assigned[]): Record<string, number[]> {
  const numbers: Record<string, number[]> = {};
  for (const { topic, partition } of assigned) (numbers[topic] ??= []).push(partition);
  return numbers;
}

function fromNumbers(numbers: Readonly<Record<string, readonly number[]>>): Assigned[] {
  return Object.entries(numbers).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}
