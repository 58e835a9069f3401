import { assignPartitions, type Assigned, type Subscriber } from './assignment.ts';

/**
 * How the members of a group share partitions: Kafka's `ConsumerPartitionAssignor`. Members that are to be in one group have
 * assignors of one name; one of them, the leader, is asked for everybody.
 *
 *     every member: userData() ──> leader: assign() ──> every member: onAssignment(), then the listener's onRevoked and onAssigned
 *
 * Rebalancing is cooperative (KIP-429): a partition that changes hands goes to nobody until its owner has let go and the group has
 * shared out once more. `assign` keeps to it by giving away what `withholdMoving` leaves.
 */
export interface Assignor {
  readonly name: string;
  /** What this member says of itself, asked for whenever it joins. */
  userData(): Uint8Array | Promise<Uint8Array>;
  /** Partitions that nobody gets are legal; one that two get is not. */
  assign(members: readonly Subscription[], partitionCounts: ReadonlyMap<string, number>): GroupAssignment;
  /** What the leader says to all members. */
  onAssignment(heard: { readonly memberId: string; readonly userData: Uint8Array }): void;
}

export interface Subscription extends Subscriber {
  readonly userData: Uint8Array;
}

export interface GroupAssignment {
  /** By member id. */
  readonly partitions: ReadonlyMap<string, readonly Assigned[]>;
  /** For all members alike. */
  readonly userData: Uint8Array;
}

/** Shares out partition numbers (assignment.ts), for members that have nothing to say. */
export const partitionAssignor: Assignor = {
  name: 'millrace-cooperative',
  userData: () => nothing,
  assign: (members, partitionCounts) => ({
    partitions: withholdMoving(members, assignPartitions(members, partitionCounts)),
    userData: nothing,
  }),
  onAssignment: () => undefined,
};

const nothing = new Uint8Array(0);

/** What of the wanted assignment can be given now: all but what another member still owns. */
export function withholdMoving(
  members: readonly Subscriber[],
  wanted: ReadonlyMap<string, readonly Assigned[]>,
): Map<string, Assigned[]> {
  const owners = new Map<string, string>();
  for (const { memberId, owned } of members) for (const each of owned) owners.set(nameOf(each), memberId);
  return new Map(
    [...wanted].map(([memberId, assigned]) => [
      memberId,
      assigned.filter((each) => (owners.get(nameOf(each)) ?? memberId) === memberId),
    ]),
  );
}

function nameOf({ topic, partition }: Assigned): string {
  return `${topic}/${partition}`;
}
