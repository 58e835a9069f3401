import { expect, it } from 'vitest';
import type { GroupMember, RebalanceListener, TopicPartition } from '../log.ts';
import type { Cases } from './log-conformance.ts';
import { eventually, newTopic, uniqueName } from './support.ts';

export const groupCases: Cases = (openLog, supports) => {
  it('has no offsets for a group that committed none', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    expect(await log.committedOffsets(uniqueName('group'), [partition])).toEqual([undefined]);
  });

  it('gives a single member every partition, and keeps what it commits', async () => {
    let log = await openLog();
    const { topic } = await newTopic(log, 3);
    const group = uniqueName('group');
    const owned = new Ownership();
    const member = await log.joinGroup(group, [topic], owned.listener('only'));
    expect(await eventually(() => owned.of('only').length === 3)).toBe(true);
    await member.commitOffsets([{ topic, partition: 1, offset: 7 }]);
    await member[Symbol.asyncDispose]();
    expect(owned.of('only')).toEqual([]);
    log = await supports.reopen(log);
    const partitions = [0, 1, 2].map((partition) => ({ topic, partition }));
    expect(await log.committedOffsets(group, partitions)).toEqual([undefined, 7, undefined]);
    await log[Symbol.asyncDispose]();
  });

  it('shares partitions among members, no partition with two of them at a time, and takes back what one leaves', async () => {
    await using log = await openLog();
    const { topic } = await newTopic(log, 4);
    const other = await newTopic(log, 4);
    const topics = [topic, other.topic];
    const group = uniqueName('group');
    const owned = new Ownership();
    const members: GroupMember[] = [];
    for (const name of ['a', 'b', 'c']) members.push(await log.joinGroup(group, topics, owned.listener(name)));
    expect(await eventually(() => owned.counts().join() === '2,2,4')).toBe(true);
    for (const name of ['a', 'b', 'c']) {
      const of = (wanted: string) =>
        owned
          .of(name)
          .filter((p) => p.startsWith(`${wanted}/`))
          .map((p) => p.split('/')[1]);
      expect(of(topic)).toEqual(of(other.topic));
    }
    await members[1]?.[Symbol.asyncDispose]();
    expect(await eventually(() => owned.counts().join() === '0,4,4')).toBe(true);
    expect(owned.violations).toEqual([]);
    await members[0]?.[Symbol.asyncDispose]();
    await members[2]?.[Symbol.asyncDispose]();
  });

  it('refuses a commit of a member that has left', async () => {
    await using log = await openLog();
    const partition = await newTopic(log);
    const owned = new Ownership();
    const member = await log.joinGroup(uniqueName('group'), [partition.topic], owned.listener('only'));
    expect(await eventually(() => owned.of('only').length === 1)).toBe(true);
    await member[Symbol.asyncDispose]();
    await expect(member.commitOffsets([{ ...partition, offset: 1 }])).rejects.toMatchObject({ code: 'MEMBER_FENCED' });
  });

  it('takes a member out that is said to be gone, and has nothing to do where it does not know it', async () => {
    await using log = await openLog();
    const { topic } = await newTopic(log, 2);
    const group = uniqueName('group');
    const lost: string[] = [];
    const owned = new Ownership();
    const listener = owned.listener('only', async (partitions) => void lost.push(...partitions.map(nameOf)));
    await using member = await log.joinGroup(group, [topic], listener);
    expect(await eventually(() => owned.of('only').length === 2)).toBe(true);
    await log.removeMember(group, 'never seen');
    await log.removeMember(uniqueName('group'), member.memberId);
    expect(lost).toEqual([]);
    await log.removeMember(group, member.memberId);
    expect(await eventually(() => lost.length === 2)).toBe(true);
    expect(owned.violations).toEqual([]);
  });

  it.runIf(supports.awaitsRevocation)('lets a member commit while a partition is taken from it', async () => {
    await using log = await openLog();
    const { topic } = await newTopic(log, 2);
    const group = uniqueName('group');
    const owned = new Ownership();
    const ready: { member?: GroupMember } = {};
    const first = owned.listener('first', async (partitions) => {
      await ready.member?.commitOffsets(partitions.map((partition) => ({ ...partition, offset: 5 })));
    });
    ready.member = await log.joinGroup(group, [topic], first);
    expect(await eventually(() => owned.of('first').length === 2)).toBe(true);
    const second = await log.joinGroup(group, [topic], owned.listener('second'));
    expect(await eventually(() => owned.counts().join() === '1,1')).toBe(true);
    const moved = owned.of('second').map((name) => ({ topic, partition: Number(name.split('/')[1]) }));
    expect(await log.committedOffsets(group, moved)).toEqual([5]);
    await second[Symbol.asyncDispose]();
    await ready.member[Symbol.asyncDispose]();
  });
};

/** Who owns what, as the listeners hear it; two owners at a time are a violation. */
class Ownership {
  readonly violations: string[] = [];
  readonly #owned = new Map<string, Set<string>>();

  listener(name: string, revoking?: (partitions: readonly TopicPartition[]) => Promise<void>): RebalanceListener {
    const mine = new Set<string>();
    this.#owned.set(name, mine);
    return {
      onRevoked: async (partitions) => {
        await revoking?.(partitions);
        for (const partition of partitions) {
          if (!mine.delete(nameOf(partition))) this.violations.push(`${name} lost ${nameOf(partition)}, not its own`);
        }
      },
      onAssigned: async (partitions) => {
        for (const partition of partitions.map(nameOf)) {
          for (const [other, owned] of this.#owned) {
            if (owned.has(partition)) this.violations.push(`${name} was given ${partition} while ${other} has it`);
          }
          mine.add(partition);
        }
      },
    };
  }

  of(name: string): string[] {
    return [...(this.#owned.get(name) ?? [])].sort();
  }

  counts(): number[] {
    return [...this.#owned.values()].map((owned) => owned.size).sort((a, b) => a - b);
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
