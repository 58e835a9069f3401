import { randomUUID } from 'node:crypto';
import { MillraceError } from '../../schemas/errors.ts';
import { assignPartitions } from '../assignment.ts';
import type { ConsumedOffset, GroupMember, RebalanceListener, TopicPartition } from '../log.ts';

/**
 * Consumer groups inside one process.
 *
 * One rebalance of a group at a time: who joins or leaves queues up, and every rebalance works on the members as they
 * are when it begins. First every member hears what it loses and is waited for (it may still commit), then every
 * member hears what it gains: no partition has two owners at any moment. What a member keeps it does not hear of.
 *
 * A listener that throws loses the notice, not the group: the error goes to `onError`. A listener must not wait for its
 * own member to join or leave, since that waits for the rebalance it is called from.
 */
export class GroupCoordinator {
  readonly #host: GroupHost;
  readonly #groups = new Map<string, Group>();

  constructor(host: GroupHost) {
    this.#host = host;
  }

  async join(groupId: string, topics: readonly string[], listener: RebalanceListener): Promise<GroupMember> {
    let group = this.#groups.get(groupId);
    if (group === undefined) this.#groups.set(groupId, (group = { members: new Map(), rebalance: Promise.resolve() }));
    const member: Member = { memberId: `${groupId}-${randomUUID()}`, topics, listener, owned: [], left: false };
    group.members.set(member.memberId, member);
    await this.#rebalance(group);
    return {
      memberId: member.memberId,
      commitOffsets: (offsets) => this.#commit(groupId, member, offsets),
      [Symbol.asyncDispose]: () => this.#leave(groupId, group, member),
    };
  }

  async #commit(groupId: string, member: Member, offsets: readonly ConsumedOffset[]): Promise<void> {
    for (const { topic, partition } of offsets) {
      if (!member.left && member.owned.some((o) => o.topic === topic && o.partition === partition)) continue;
      throw new MillraceError(
        'MEMBER_FENCED',
        `Member '${member.memberId}' commits an offset of ${topic}-${partition}, which it does not own`,
        { group: groupId, memberId: member.memberId, topic, partition },
      );
    }
    await this.#host.commitOffsets(groupId, offsets);
  }

  async #leave(groupId: string, group: Group, member: Member): Promise<void> {
    if (!group.members.delete(member.memberId)) return;
    group.rebalance = group.rebalance.then(async () => {
      await this.#revoke(member, []);
      member.left = true;
    });
    await this.#rebalance(group);
    if (group.members.size === 0 && this.#groups.get(groupId) === group) this.#groups.delete(groupId);
  }

  #rebalance(group: Group): Promise<void> {
    group.rebalance = group.rebalance.then(async () => {
      const members = [...group.members.values()];
      const assignment = assignPartitions(members, this.#host.partitionCounts(members.flatMap(({ topics }) => topics)));
      await Promise.all(members.map((member) => this.#revoke(member, assignment.get(member.memberId) ?? [])));
      await Promise.all(members.map((member) => this.#assign(member, assignment.get(member.memberId) ?? [])));
    });
    return group.rebalance;
  }

  async #revoke(member: Member, keep: readonly TopicPartition[]): Promise<void> {
    const lost = without(member.owned, keep);
    if (lost.length === 0) return;
    await this.#tell(() => member.listener.onRevoked(lost));
    member.owned = without(member.owned, lost);
  }

  async #assign(member: Member, assigned: readonly TopicPartition[]): Promise<void> {
    const gained = without(assigned, member.owned);
    if (gained.length === 0) return;
    member.owned = [...member.owned, ...gained];
    await this.#tell(() => member.listener.onAssigned(gained));
  }

  async #tell(notice: () => Promise<void>): Promise<void> {
    try {
      await notice();
    } catch (error) {
      this.#host.onError(error);
    }
  }
}

export interface GroupHost {
  partitionCounts(topics: readonly string[]): ReadonlyMap<string, number>;
  commitOffsets(group: string, offsets: readonly ConsumedOffset[]): Promise<void>;
  onError(error: unknown): void;
}

interface Group {
  readonly members: Map<string, Member>;
  rebalance: Promise<void>;
}

interface Member {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly listener: RebalanceListener;
  owned: readonly TopicPartition[];
  left: boolean;
}

function without(all: readonly TopicPartition[], these: readonly TopicPartition[]): TopicPartition[] {
  return all.filter((a) => !these.some((b) => a.topic === b.topic && a.partition === b.partition));
}
