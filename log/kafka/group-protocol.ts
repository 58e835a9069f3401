import type { Assigned } from '../assignment.ts';
import type { Subscription } from '../assignor.ts';
import { nameOf } from './delivery.ts';
import { assignerProtocol } from './kafkajs.ts';

/**
 * What members of a group tell each other through the coordinator: in the consumer protocol's own format, so that Kafka's tools
 * show it. A member's user data is `| length u32 | what it owns, as JSON | the assignor's |`, an assignment's is the assignor's.
 */
export type Membership = Omit<Subscription, 'memberId'>;

export function encodeMembership({ topics, owned, userData }: Membership): Buffer {
  const json = Buffer.from(JSON.stringify({ owned: numbersByTopic(owned) }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return assignerProtocol().MemberMetadata.encode({
    version: 0,
    topics: [...topics],
    userData: Buffer.concat([length, json, userData]),
  });
}

export function decodeMembership(memberId: string, metadata: Buffer): Subscription {
  const decoded = assignerProtocol().MemberMetadata.decode(metadata);
  if (decoded === null) return { memberId, topics: [], owned: [], userData: Buffer.alloc(0) };
  const { topics, userData } = decoded;
  const end = 4 + userData.readUInt32BE(0);
  const { owned } = JSON.parse(userData.toString('utf8', 4, end)) as { owned: Record<string, number[]> };
  return { memberId, topics, owned: fromNumbers(owned), userData: userData.subarray(end) };
}

/** What one member gets, and what all are told. */
export interface MemberAssignment {
  readonly partitions: readonly Assigned[];
  readonly userData: Uint8Array;
}

export function encodeAssignment({ partitions, userData }: MemberAssignment): Buffer {
  const assignment = numbersByTopic(partitions);
  return assignerProtocol().MemberAssignment.encode({ version: 0, assignment, userData: Buffer.from(userData) });
}

export function decodeAssignment(bytes: Buffer): MemberAssignment | undefined {
  if (bytes.length === 0) return undefined;
  const decoded = assignerProtocol().MemberAssignment.decode(bytes);
  return decoded === null ? undefined : { partitions: fromNumbers(decoded.assignment), userData: decoded.userData };
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
