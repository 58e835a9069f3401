import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../dsl/streams-builder.ts';
import { matchesTopic, resolvePartitions } from './partitions.ts';

const byValue = (_: unknown, value: unknown): string => String(value);

function resolved(builder: StreamsBuilder, topics: { readonly [name: string]: number }) {
  const { internalTopics, tasks } = resolvePartitions(builder.build().graph, new Map(Object.entries(topics)));
  return { internalTopics: Object.fromEntries(internalTopics), tasks: [...tasks.values()] };
}

describe('a repartition topic', () => {
  it('has as many partitions as the widest source above, through several hops', () => {
    const builder = new StreamsBuilder();
    const merged = builder.stream('a').merge(builder.stream('b'));
    const first = merged.groupBy(byValue, { name: 'one' }).count({ store: 'first' }).toStream();
    first.groupBy(byValue, { name: 'two' }).count({ store: 'second' });
    expect(resolved(builder, { a: 2, b: 4 })).toEqual({
      internalTopics: { 'one-repartition': 4, 'two-repartition': 4 },
      tasks: [4, 4, 4],
    });
  });

  it('has the partitions it was given', () => {
    const builder = new StreamsBuilder();
    builder.stream('a').repartition({ name: 'by', partitions: 3 }).groupByKey().count({ store: 'count' });
    expect(resolved(builder, { a: 8 })).toEqual({ internalTopics: { 'by-repartition': 3 }, tasks: [8, 3] });
  });

  it('has the partitions of the table it is joined with', () => {
    const builder = new StreamsBuilder();
    const table = builder.table<string, unknown>('table');
    builder
      .stream('a')
      .selectKey(byValue)
      .join(table, (left) => left, { name: 'join' });
    expect(resolved(builder, { a: 2, table: 5 }).internalTopics).toEqual({ 'join-repartition': 5 });
  });
});

describe('a join is refused, naming both topics and their partitions,', () => {
  it('when its topics differ', () => {
    const builder = new StreamsBuilder();
    const table = builder.table('table');
    builder.stream('a').join(table, (left) => left, { name: 'join' });
    expect(() => resolved(builder, { a: 2, table: 5 })).toThrow(
      "Join 'join' wants as many partitions on both sides, found 2 of 'a' and 5 of 'table'",
    );
  });

  it('when a repartition was given another number', () => {
    const builder = new StreamsBuilder();
    const table = builder.table('table');
    builder
      .stream('a')
      .repartition({ name: 'by', partitions: 3 })
      .join(table, (left) => left, { name: 'join' });
    expect(() => resolved(builder, { a: 2, table: 5 })).toThrow("found 3 of 'by-repartition' and 5 of 'table'");
  });
});

it('a pattern chooses among the topics there are, by their whole names', () => {
  const builder = new StreamsBuilder();
  builder.stream(/x-\d/).to('out');
  expect(resolved(builder, { 'x-1': 2, 'x-2': 3, 'x-10': 9, 'ax-1': 9 }).tasks).toEqual([3]);
  expect(['ab', 'abc', 'b'].map((topic) => matchesTopic(/a.|b/g, topic))).toEqual([true, false, true]);
});

it('a source topic that does not exist is named', () => {
  const builder = new StreamsBuilder();
  builder.stream('missing', { name: 'source' }).to('out');
  expect(() => resolved(builder, {})).toThrow("Source 'source' wants topic 'missing', which does not exist");
});

it('repartition topics that feed each other want a number', () => {
  // A loop through a topic of our own can only be written with the low-level names of two builders' topics.
  const builder = new StreamsBuilder();
  const looped = builder.stream<string, string>('a').repartition({ name: 'loop' });
  looped.to('loop-repartition');
  expect(() => resolved(builder, { a: 1 })).toThrow('Repartition topics [loop-repartition] feed each other');
});
