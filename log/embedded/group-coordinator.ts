import { randomUUID } from 'node:crypto';
import { MillraceError } from '../../schemas/errors.ts';
import type { Assignor } from '../assignor.ts';
import type { ConsumedOffset, GroupMember, RebalanceListener, TopicPartition } from '../log.ts';

/**
 * Consumer groups inside one process.
 *
 * One rebalance of a group at a time: who joins or leaves queues up, and every round of a rebalance works on the members as they
 * are when it begins. Every member hears what it loses and is waited for (it may still commit), then every member hears what
 * it gains; the assignor gives away what is free only, so rounds follow until nothing was lost: no partition has two owners at any
 * moment. What a member keeps it does not hear of.
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

  async join(
    groupId: string,
    topics: readonly string[],
    listener: RebalanceListener,
    assignor: Assignor,
  ): Promise<GroupMember> {
    let group = this.#groups.get(groupId);
    if (group === undefined) this.#groups.set(groupId, (group = { members: new Map(), rebalance: Promise.resolve() }));
    const memberId = `${groupId}-${randomUUID()}`;
    const member: Member = { memberId, topics, listener, assignor, owned: [], left: false };
    group.members.set(memberId, member);
    await this.#rebalance(group);
    return {
      memberId,
      rejoin: () => void this.#rebalance(group).catch((error: unknown) => this.#host.onError(error)),
      commitOffsets: (offsets) => this.#commit(groupId, member, offsets),
      [Symbol.asyncDispose]: () => this.#leave(groupId, group, member),
    };
  }

  async remove(groupId: string, memberId: string): Promise<void> {
    const group = this.#groups.get(groupId);
    const member = group?.members.get(memberId);
    if (group !== undefined && member !== undefined) await this.#leave(groupId, group, member);
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
      while (await this.#shareOut([...group.members.values()]));
    });
    return group.rebalance;
  }

  /** Returns whether partitions were let go, which others may wait for. */
  async #shareOut(members: readonly Member[]): Promise<boolean> {
    const [leader] = members;
    if (leader === undefined) return false;
    const subscriptions = await Promise.all(
      members.map(async (member) => ({ ...member, userData: await member.assignor.userData() })),
    );
    const counts = this.#host.partitionCounts(members.flatMap(({ topics }) => topics));
    const { partitions, userData } = leader.assignor.assign(subscriptions, counts);
    for (const { memberId, assignor } of members) assignor.onAssignment({ memberId, userData });
    const given = (member: Member) => partitions.get(member.memberId) ?? [];
    const letGo = await Promise.all(members.map((member) => this.#revoke(member, given(member))));
    await Promise.all(members.map((member) => this.#assign(member, given(member))));
    return letGo.includes(true);
  }

  async #revoke(member: Member, keep: readonly TopicPartition[]): Promise<boolean> {
    const lost = without(member.owned, keep);
    if (lost.length === 0) return false;
    await this.#tell(() => member.listener.onRevoked(lost));
    member.owned = without(member.owned, lost);
    return true;
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
  readonly assignor: Assignor;
  owned: readonly TopicPartition[];
  left: boolean;
}

function without(all: readonly TopicPartition[], these: readonly TopicPartition[]): TopicPartition[] {
  return all.filter((a) => !these.some((b) => a.topic === b.topic && a.partition === b.partition));
}
