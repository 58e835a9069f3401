import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../../schemas/errors.ts';
import type { Assigned } from '../assignment.ts';
import type { Assignor } from '../assignor.ts';
import type { ConsumedOffset, GroupMember, RebalanceListener } from '../log.ts';
import { byTopic } from './by-topic.ts';
import type { Connections } from './connections.ts';
import { decodeAssignment, decodeMembership, encodeAssignment, encodeMembership, without } from './group-protocol.ts';
import { errorType, kafkaError } from './kafka-errors.ts';
import type { JoinedGroup } from './kafkajs.ts';

export interface MemberOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly listener: RebalanceListener;
  readonly assignor: Assignor;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * A member of a consumer group: joins, hears what it gets, sends heartbeats, joins again when the group changes.
 *
 *     join -> sync -> onRevoked(lost), then onAssigned(new) -> heartbeats -> rebalance in progress -> join …
 *                      └── something was lost: join again at once, so that the others get it
 *
 * It is ours and not kafkajs' consumer, for three things that one can't do: keep partitions through a rebalance
 * (group-protocol.ts), wait for `onRevoked`, and send heartbeats whatever the listener is busy with. JoinGroup is answered when the
 * whole group has joined, and a broker answers a connection's requests in turn: so a member has connections of its own.
 */
export class KafkaGroupMember implements GroupMember {
  readonly #options: MemberOptions;
  /** Of this member alone. */
  readonly #connections: Connections;
  /** Of the log, for what must not wait behind a JoinGroup. */
  readonly #shared: Connections;
  #memberId = '';
  #generation = -1;
  #owned: readonly Assigned[] = [];
  #leaving = false;
  #left = false;
  #rejoins = false;
  readonly #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** Resolves when the group has taken it in; its partitions come through the listener. */
  static async join(options: MemberOptions, connections: Connections, shared: Connections): Promise<KafkaGroupMember> {
    const member = new KafkaGroupMember(options, connections, shared);
    try {
      const assigned = await member.#join();
      member.#running = member.#run(assigned);
    } catch (error) {
      await connections.close();
      throw kafkaError(error, `Joining the group '${options.group}'`, { group: options.group });
    }
    return member;
  }

  private constructor(options: MemberOptions, connections: Connections, shared: Connections) {
    this.#options = options;
    this.#connections = connections;
    this.#shared = shared;
  }

  get memberId(): string {
    return this.#memberId;
  }

  rejoin(): void {
    this.#rejoins = true;
  }

  async commitOffsets(offsets: readonly ConsumedOffset[]): Promise<void> {
    const { group } = this.#options;
    for (const deadline = Date.now() + commitRetryMs; ; await sleep(commitWaitMs)) {
      if (this.#left || without(offsets, this.#owned).length > 0) throw this.#fencedError(undefined);
      const topics = byTopic(offsets.map((each) => ({ ...each, offset: String(each.offset) })));
      const of = { groupId: group, groupGenerationId: this.#generation, memberId: this.#memberId, topics };
      const doing = `Committing offsets of the group '${group}'`;
      try {
        await this.#shared.onCoordinator('group', group, doing, (broker) => broker.offsetCommit(of));
        return;
      } catch (error) {
        const type = errorType((error as Error).cause);
        // Between a rebalance's end and our hearing of it: the next generation takes it.
        if (type === 'REBALANCE_IN_PROGRESS' && Date.now() < deadline) continue;
        if (memberErrors.has(type)) throw this.#fencedError(error);
        throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#leaving) return this.#running;
    this.#leaving = true;
    this.#wake.abort();
    await this.#revoke(this.#owned);
    this.#left = true;
    const { group } = this.#options;
    // Also when it waits in a JoinGroup, which ends that wait.
    await leaveGroup(this.#shared, { group, memberId: this.#memberId }).catch(this.#options.onError);
    await this.#connections.close();
    await this.#running;
  }

  async #run(first: readonly Assigned[]): Promise<void> {
    let assigned: readonly Assigned[] | undefined = first;
    while (!this.#leaving) {
      try {
        const letGo = await this.#apply(assigned ?? (await this.#join()));
        if (!letGo) await this.#heartbeats();
      } catch (error) {
        if (this.#leaving) return;
        if (memberErrors.has(errorType((error as Error).cause))) {
          // The group went on without it: what it had is another's by now.
          this.#memberId = '';
          await this.#revoke(this.#owned);
        } else {
          this.#options.onError(error);
          await this.#pause(this.#wake.signal);
        }
      }
      assigned = undefined;
    }
  }

  /** Returns whether partitions were let go, which others wait for. */
  async #apply(assigned: readonly Assigned[]): Promise<boolean> {
    const lost = without(this.#owned, assigned);
    const beating = new AbortController();
    const beats = this.#beatWhile(beating.signal);
    try {
      await this.#revoke(lost);
      const gained = without(assigned, this.#owned);
      this.#owned = assigned;
      if (gained.length > 0) await this.#options.listener.onAssigned(gained);
    } finally {
      beating.abort();
      await beats;
    }
    return lost.length > 0;
  }

  async #revoke(lost: readonly Assigned[]): Promise<void> {
    if (lost.length === 0) return;
    try {
      await this.#options.listener.onRevoked(lost);
    } catch (error) {
      this.#options.onError(error); // It has no say in whether they go.
    } finally {
      this.#owned = without(this.#owned, lost);
    }
  }

  /** Until the group rebalances or is to, or it leaves. */
  async #heartbeats(): Promise<void> {
    while (!this.#leaving) {
      await this.#pause(this.#wake.signal);
      if (this.#leaving) return;
      if (this.#rejoins || (await this.#isRebalancing())) return;
    }
  }

  /** Keeps the membership alive while a listener works; that the group rebalances is heard of again afterwards. */
  async #beatWhile(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#pause(signal);
      if (signal.aborted) return;
      await this.#isRebalancing().catch((error: unknown) => {
        if (!memberErrors.has(errorType((error as Error).cause))) this.#options.onError(error);
      });
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await sleep(this.#options.heartbeatIntervalMs, undefined, { signal }).catch(() => undefined); // Woken.
  }

  async #isRebalancing(): Promise<boolean> {
    const { group } = this.#options;
    const of = { groupId: group, groupGenerationId: this.#generation, memberId: this.#memberId };
    try {
      await this.#connections.onCoordinator('group', group, `A heartbeat of the group '${group}'`, (broker) =>
        broker.heartbeat(of),
      );
      return false;
    } catch (error) {
      if (errorType((error as Error).cause) === 'REBALANCE_IN_PROGRESS') return true;
      throw error;
    }
  }

  async #join(): Promise<readonly Assigned[]> {
    const { group, topics, assignor, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    for (;;) {
      if (this.#leaving) return [];
      this.#rejoins = false;
      const metadata = encodeMembership({ topics, owned: this.#owned, userData: await assignor.userData() });
      try {
        const joined = await this.#connections.onCoordinator(
          'group',
          group,
          `Joining the group '${group}'`,
          (broker) =>
            broker.joinGroup({
              groupId: group,
              memberId: this.#memberId,
              sessionTimeout: sessionTimeoutMs,
              rebalanceTimeout: rebalanceTimeoutMs,
              groupProtocols: [{ name: assignor.name, metadata }],
            }),
          { blocksMs: rebalanceTimeoutMs },
        );
        this.#memberId = joined.memberId;
        this.#generation = joined.generationId;
        return await this.#sync(joined);
      } catch (error) {
        const { cause } = error as Error;
        const type = errorType(cause);
        if (type === 'MEMBER_ID_REQUIRED') this.#memberId = (cause as { memberId: string }).memberId;
        else if (type !== 'REBALANCE_IN_PROGRESS') throw error;
      }
    }
  }

  async #sync({ generationId, memberId, leaderId, members }: JoinedGroup): Promise<readonly Assigned[]> {
    const { group, assignor } = this.#options;
    const groupAssignment = leaderId === memberId ? await this.#assign(members) : [];
    const { memberAssignment } = await this.#connections.onCoordinator(
      'group',
      group,
      `Synchronising the group '${group}'`,
      (broker) => broker.syncGroup({ groupId: group, generationId, memberId, groupAssignment }),
      { blocksMs: this.#options.rebalanceTimeoutMs },
    );
    const assignment = decodeAssignment(memberAssignment);
    if (assignment === undefined) return [];
    assignor.onAssignment({ memberId, userData: assignment.userData });
    return assignment.partitions;
  }

  /** As the leader. */
  async #assign(members: JoinedGroup['members']) {
    const subscriptions = members.map(({ memberId, memberMetadata }) => decodeMembership(memberId, memberMetadata));
    const topics = [...new Set(subscriptions.flatMap((each) => each.topics))];
    const counts = await Promise.all(
      topics.map(async (topic) => [topic, await this.#connections.partitionCount(topic)] as const),
    );
    const { partitions, userData } = this.#options.assignor.assign(subscriptions, new Map(counts));
    return subscriptions.map(({ memberId }) => ({
      memberId,
      memberAssignment: encodeAssignment({ partitions: partitions.get(memberId) ?? [], userData }),
    }));
  }

  #fencedError(cause: unknown): MillraceError {
    const { group } = this.#options;
    const message = `The group '${group}' has given the partitions of member '${this.#memberId}' to others`;
    return new MillraceError('MEMBER_FENCED', message, { group, memberId: this.#memberId }, { cause });
  }
}

/** For a member, whoever asks. Where the coordinator does not know it, it has left. */
export async function leaveGroup(
  connections: Connections,
  { group, memberId }: { readonly group: string; readonly memberId: string },
): Promise<void> {
  try {
    await connections.onCoordinator('group', group, `Leaving the group '${group}'`, (broker) =>
      broker.leaveGroup({ groupId: group, memberId }),
    );
  } catch (error) {
    if (!memberErrors.has(errorType((error as Error).cause))) throw error;
  }
}

/** The coordinator knows the member, or its generation, no more. */
const memberErrors = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);
const commitRetryMs = 10_000;
const commitWaitMs = 50;
