import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedTable } from './sorted-table.ts';

const key = fc.integer({ min: 0, max: 2000 });
const op = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('fill' as const), from: key, count: fc.integer({ min: 1, max: 700 }) }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), from: key, count: fc.constant(1) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('deleteRange' as const), from: key, count: fc.nat(900) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clone' as const), from: key, count: fc.constant(0) }) },
);

describe('sorted table', () => {
  it('equals a sorted map, and its clones keep what they were', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 14, size: 'max' }), key, key, (ops, from, to) => {
        const table = new SortedTable();
        const model = new Map<number, number>();
        const clones: { readonly table: SortedTable; readonly model: ReadonlyMap<number, number> }[] = [];
        let value = 0;
        for (const step of ops) {
          const { from: start, count } = step;
          switch (step.op) {
            case 'fill':
              for (let i = 0; i < count; i++) {
                const at = (start + Math.imul(i, 7919)) % 2001;
                value = (value + 1) % 256;
                table.set(encode(at), Uint8Array.of(value));
                model.set(at, value);
              }
              break;
            case 'delete':
              table.delete(encode(start));
              model.delete(start);
              break;
            case 'deleteRange':
              table.deleteRange(encode(start), encode(start + count));
              for (let at = start; at < start + count; at++) model.delete(at);
              break;
            case 'clone':
              clones.push({ table: table.clone(), model: new Map(model) });
              break;
          }
        }
        for (const each of [{ table, model }, ...clones]) {
          const wanted = [...each.model].filter(([at]) => at >= from && at < to).sort(([a], [b]) => a - b);
          const rows = (reverse: boolean) =>
            [...each.table.entries(encode(from), encode(to), reverse)].map((row) => [decode(row.key), row.value[0]]);
          expect(rows(false)).toEqual(wanted);
          expect(rows(true)).toEqual(wanted.reverse());
          expect(each.table.get(encode(from))?.[0]).toBe(each.model.get(from));
        }
      }),
      { numRuns: 60 },
    );
  });
});

function encode(of: number): Uint8Array {
  return Uint8Array.of(of >>> 8, of & 255);
}

function decode(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
}
