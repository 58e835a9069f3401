import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignPartitions, type Assigned } from './assignment.ts';

const counts = new Map([
  ['orders', 4],
  ['clicks', 4],
  ['other', 2],
]);

describe('assignment', () => {
  it('gives every partition to one member, the same number of every topic to the same one', () => {
    const result = assignPartitions([member('a', 'orders', 'clicks'), member('b', 'orders', 'clicks')], counts);
    expect(numbers(result.get('a'), 'orders')).toEqual(numbers(result.get('a'), 'clicks'));
    const all = [...numbers(result.get('a'), 'orders'), ...numbers(result.get('b'), 'orders')];
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  it('gives a topic to its subscribers only', () => {
    const result = assignPartitions([member('a', 'orders'), member('b', 'orders', 'other')], counts);
    expect(numbers(result.get('a'), 'other')).toEqual([]);
    expect(numbers(result.get('b'), 'other')).toEqual([0, 1]);
  });

  it('leaves partitions with their owners as far as the balance allows, when members come and go', () => {
    const changes = fc.array(fc.record({ join: fc.boolean(), who: fc.integer({ min: 0, max: 5 }) }), { maxLength: 20 });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 9 }), (steps, partitions) => {
        const sizes = new Map([['t', partitions]]);
        let owned = new Map<string, Assigned[]>([['m0', []]]);
        for (const { join, who } of steps) {
          const before = owned;
          if (join) owned.set(`m${who}`, owned.get(`m${who}`) ?? []);
          else if (owned.size > 1) owned.delete(`m${who}`);
          const members = [...owned].map(([memberId, has]) => ({ memberId, topics: ['t'], owned: has }));
          owned = assignPartitions(members, sizes);
          expect(owned).toEqual(assignPartitions(members.toReversed(), sizes));
          const loads = [...owned.values()].map((has) => has.length);
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
          const all = [...owned.values()].flatMap((has) => numbers(has, 't'));
          expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, i) => i));
          for (const [memberId, has] of owned) {
            const kept = numbers(has, 't').filter((p) => numbers(before.get(memberId), 't').includes(p)).length;
            const had = numbers(before.get(memberId), 't').length;
            expect(kept).toBeGreaterThanOrEqual(Math.min(had, Math.floor(partitions / owned.size)));
          }
        }
      }),
    );
  });
});

function member(memberId: string, ...topics: string[]) {
  return { memberId, topics, owned: [] };
}

function numbers(assigned: readonly Assigned[] | undefined, topic: string): number[] {
  return (assigned ?? []).filter((a) => a.topic === topic).map((a) => a.partition);
}
