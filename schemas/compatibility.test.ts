import { describe, expect, it } from 'vitest';
import { parseAvro } from './avro-type.ts';
import { incompatibilities } from './compatibility.ts';
import type { AvroSchema } from './registry.ts';

const record = (...fields: object[]): AvroSchema => ({ type: 'record', name: 'Order', fields });
const problems = (reader: AvroSchema, writer: AvroSchema) =>
  incompatibilities(parseAvro(reader, 'r'), parseAvro(writer, 'w'));
const suit = (...symbols: string[]): AvroSchema => ({ type: 'enum', name: 'Suit', symbols });

describe('a reader reads what a writer wrote', () => {
  it.each<[string, AvroSchema, AvroSchema]>([
    ['when it is the same', 'string', 'string'],
    ['when numbers widen', 'double', 'int'],
    ['when text becomes bytes', 'bytes', 'string'],
    ['when a field with a default was added', record({ name: 'a', type: 'int', default: 1 }), record()],
    ['when a field was removed', record(), record({ name: 'a', type: 'int' })],
    [
      'when a field was renamed with an alias',
      record({ name: 'b', aliases: ['a'], type: 'int' }),
      record({ name: 'a', type: 'int' }),
    ],
    ['when a type joins a union', ['null', 'string'], 'string'],
    ['when a symbol was added', suit('A', 'B'), suit('A')],
    [
      'when the reader\u2019s enum has a default',
      { type: 'enum', name: 'Suit', symbols: ['A'], default: 'A' },
      suit('A', 'B'),
    ],
    [
      'when it is recursive',
      record({ name: 'next', type: ['null', 'Order'], default: null }, { name: 'n', type: 'long', default: 0 }),
      record({ name: 'next', type: ['null', 'Order'], default: null }),
    ],
  ])('%s', (_, reader, writer) => expect(problems(reader, writer)).toEqual([]));

  it.each<[string, string, AvroSchema, AvroSchema]>([
    ['a field without a default was added', 'a', record({ name: 'a', type: 'int' }), record()],
    ['numbers narrow', 'a', record({ name: 'a', type: 'int' }), record({ name: 'a', type: 'long' })],
    [
      'a union loses a branch',
      'a',
      record({ name: 'a', type: 'string' }),
      record({ name: 'a', type: ['null', 'string'] }),
    ],
    ['an enum loses a symbol', '', suit('A'), suit('A', 'B')],
    ['a fixed has another size', '', { type: 'fixed', name: 'F', size: 4 }, { type: 'fixed', name: 'F', size: 8 }],
    ['a record was renamed', '', { type: 'record', name: 'Bill', fields: [] }, record()],
    [
      'it is deep inside',
      'lines[].price{}',
      record({
        name: 'lines',
        type: {
          type: 'array',
          items: { type: 'record', name: 'L', fields: [{ name: 'price', type: { type: 'map', values: 'int' } }] },
        },
      }),
      record({
        name: 'lines',
        type: {
          type: 'array',
          items: { type: 'record', name: 'L', fields: [{ name: 'price', type: { type: 'map', values: 'string' } }] },
        },
      }),
    ],
  ])('not when %s, and says where: %j', (_, field, reader, writer) => {
    expect(problems(reader, writer)).toEqual([{ field, problem: expect.any(String) as string }]);
  });

  it('names every field that breaks a rule', () => {
    const reader = record(
      { name: 'a', type: 'int' },
      { name: 'b', type: 'int', default: 0 },
      { name: 'c', type: 'int' },
    );
    expect(problems(reader, record()).map(({ field }) => field)).toEqual(['a', 'c']);
  });
});
