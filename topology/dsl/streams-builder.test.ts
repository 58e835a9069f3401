import { describe, expect, it } from 'vitest';
import { int64Serde, isMillraceError, stringSerde } from '../../schemas/index.ts';
import type { ProcessorNode, SinkNode, SourceNode, WindowStoreSpec } from '../graph/graph.ts';
import type { Topology } from '../topology.ts';
import { Stores } from './stores.ts';
import { StreamsBuilder } from './streams-builder.ts';
import { TimeWindows } from './time-windows.ts';

const forward = { get: () => ({ process: () => undefined }) };

function nodesOf(topology: Topology): string[] {
  return [...topology.graph.nodes.keys()];
}

function node<N>(topology: Topology, name: string): N {
  return topology.graph.nodes.get(name) as N;
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isMillraceError(error, 'TOPOLOGY_INVALID')) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('repartitioning', () => {
  it('comes only after the key may have changed', () => {
    const builder = new StreamsBuilder();
    const stream = builder.stream<string, string>('in');
    stream
      .mapValues((value) => value.length)
      .groupByKey()
      .count({ store: 'plain' });
    stream
      .selectKey((_, value) => value)
      .groupByKey({ name: 'rekeyed' })
      .count({ store: 'rekeyed' });
    stream.process(forward).groupByKey({ name: 'processed' }).count({ store: 'processed' });
    expect([...builder.build().graph.internalTopics.keys()]).toEqual(['rekeyed-repartition', 'processed-repartition']);
  });

  it('is shared by the aggregations of a named grouping, and made for each of an unnamed one', () => {
    const builder = new StreamsBuilder();
    const named = builder.stream<string, string>('a').groupBy((_, value) => value, { name: 'shared' });
    named.count({ store: 'named-count' });
    named.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).count({ store: 'named-windows' });
    const unnamed = builder.stream<string, string>('b').groupBy((_, value) => value);
    unnamed.count({ store: 'first' });
    unnamed.count({ store: 'second' });
    expect([...builder.build().graph.internalTopics.keys()]).toEqual([
      'shared-repartition',
      'first-repartition',
      'second-repartition',
    ]);
  });

  it('drops null keys, unless a left join below wants them', () => {
    const builder = new StreamsBuilder();
    const table = builder.table<string, string>('table');
    builder
      .stream<string, string>('a')
      .repartition({ name: 'inner' })
      .join(table, (left) => left);
    builder
      .stream<string, string>('b')
      .repartition({ name: 'left' })
      .mapValues(String)
      .leftJoin(table, (left) => left);
    const topology = builder.build();
    expect(node<ProcessorNode>(topology, 'inner-repartition-filter').operator.op).toBe('dropNullKeys');
    expect(node<ProcessorNode>(topology, 'left-repartition-filter').operator.op).toBe('passThrough');
  });
});

describe('a table', () => {
  it('has a store only when it is named or read', () => {
    const builder = new StreamsBuilder();
    builder.table('unread');
    builder.table('named', { store: 'names' });
    const read = builder.table<unknown, string>('read');
    builder.stream('in').join(read, (left) => left);
    expect([...builder.build().graph.stores.keys()]).toEqual(['names', 'read-STATE-STORE-0000000005']);
  });

  it('gives its reader and itself the same store', () => {
    const builder = new StreamsBuilder();
    const counts = builder.stream('a').groupByKey().count({ store: 'counts' });
    builder.stream('b').join(counts, (left) => left, { name: 'join' });
    const topology = builder.build();
    expect(node<ProcessorNode>(topology, 'join').stores).toEqual(['counts']);
    expect(topology.graph.subtopologies).toHaveLength(1);
    expect(topology.graph.copartitionGroups).toEqual([
      { sources: ['KSTREAM-SOURCE-0000000002', 'KSTREAM-SOURCE-0000000000'], operator: 'join' },
    ]);
  });
});

describe('serdes', () => {
  it('stay with the data, change with a mapping, and fall back to the builder', () => {
    const builder = new StreamsBuilder({ valueSerde: stringSerde });
    const stream = builder.stream('in', { keySerde: int64Serde, valueSerde: int64Serde });
    stream.filter(() => true).to('same', { name: 'same' });
    stream.mapValues(String).to('mapped', { name: 'mapped' });
    stream.selectKey(String).to('rekeyed', { name: 'rekeyed' });
    const topology = builder.build();
    const names = ['same', 'mapped', 'rekeyed'].map((name) => {
      const { keySerde, valueSerde } = node<SinkNode>(topology, name);
      return `${keySerde.name}/${valueSerde.name}`;
    });
    expect(names).toEqual(['int64/int64', 'int64/string', 'json/int64']);
  });

  it('of a windowed table carry the window in the key', () => {
    const builder = new StreamsBuilder();
    const windows = TimeWindows.ofSizeAndGrace({ sizeMs: 10, graceMs: 5 });
    const stream = builder.stream<string, number>('in', { keySerde: stringSerde, valueSerde: int64Serde });
    stream.groupByKey().windowedBy(windows).count({ store: 'counts' }).toStream().to('out', { name: 'sink' });
    const topology = builder.build();
    const { keySerde, valueSerde } = node<SinkNode>(topology, 'sink');
    expect([keySerde.name, valueSerde.name]).toEqual(['time-windowed(string,10)', 'int64']);
    const key = { key: 'a', window: { startMs: 20, endMs: 30 } };
    expect(keySerde.deserialize(keySerde.serialize(key))).toEqual(key);
    expect([...keySerde.serialize(key)]).toEqual([97, 0, 0, 0, 0, 0, 0, 0, 20]);
    expect(topology.graph.stores.get('counts')?.keySerde.name).toBe('string');
  });
});

it('a window is kept for what is asked, and at least for its size and grace', () => {
  const builder = new StreamsBuilder();
  const windowed = builder
    .stream('in')
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace({ sizeMs: 10, graceMs: 5 }));
  windowed.count({ store: { name: 'short', retentionMs: 1 } });
  windowed.count({ store: { name: 'long', retentionMs: 100 } });
  const { stores } = builder.build().graph;
  expect([
    (stores.get('short') as WindowStoreSpec).retentionMs,
    (stores.get('long') as WindowStoreSpec).retentionMs,
  ]).toEqual([15, 100]);
});

it('two streams over the same topics share one source', () => {
  const builder = new StreamsBuilder();
  builder.stream(['a', 'b']).to('x');
  builder.stream(['b', 'a']).to('y');
  const topology = builder.build();
  const sources = [...topology.graph.nodes.values()].filter(({ kind }) => kind === 'source');
  expect(sources.map(({ name }) => name)).toEqual(['KSTREAM-SOURCE-0000000000']);
  expect((sources[0] as SourceNode).children).toEqual(['KSTREAM-SINK-0000000001', 'KSTREAM-SINK-0000000003']);
});

it('a processor is connected to the stores it names, also to one of another processor', () => {
  const builder = new StreamsBuilder().addStateStore(Stores.keyValue('seen', { keySerde: stringSerde }));
  builder.stream('a').process(forward, { name: 'one', stores: ['seen'] });
  builder.stream('b').process(forward, { name: 'two', stores: ['seen'] });
  const { subtopologies } = builder.build().graph;
  expect(subtopologies.map(({ stores, sourceTopics }) => [stores, sourceTopics])).toEqual([[['seen'], ['a', 'b']]]);
});

it('warns of generated names of stores and repartition topics, and of no others', () => {
  const builder = new StreamsBuilder();
  const stream = builder.stream<string, string>('in').filter(() => true);
  stream.groupBy((_, value) => value, { name: 'named' }).count({ name: 'count', store: 'counts' });
  stream.groupBy((_, value) => value).count();
  const { warnings } = builder.build();
  expect(warnings.map((warning) => warning.slice(0, warning.indexOf(' has a generated name')))).toEqual([
    "Store 'KSTREAM-AGGREGATE-STATE-STORE-0000000006' of 'KSTREAM-AGGREGATE-0000000007'",
    "Repartition topic 'KSTREAM-AGGREGATE-STATE-STORE-0000000006-repartition'",
  ]);
});

it('builds the same topology again, and a longer one after more calls', () => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in');
  const first = builder.build();
  expect(nodesOf(builder.build())).toEqual(nodesOf(first));
  stream.to('out');
  expect(nodesOf(builder.build())).toEqual([...nodesOf(first), 'KSTREAM-SINK-0000000001']);
});

describe('is refused with what was wanted and found', () => {
  it('a hopping window', () => {
    expect(refusal(() => TimeWindows.ofSizeWithNoGrace(60_000).advanceBy(10_000))).toBe(
      "Window advance wants 60000 ms, the window's size, found 10000 ms: hopping windows are not there yet",
    );
  });

  it('a window without size', () => {
    expect(refusal(() => TimeWindows.ofSizeWithNoGrace(0))).toBe(
      'Window size wants a whole number of ms >= 1, found 0',
    );
  });

  it('a name that no topic could have', () => {
    expect(refusal(() => new StreamsBuilder().stream('in', { name: 'über' }))).toBe(
      "A name wants 1 to 249 characters of [a-zA-Z0-9._-], and not '.' or '..'; found 'über' (4)",
    );
  });

  it('a topic read by a stream and by a table', () => {
    const builder = new StreamsBuilder();
    builder.stream('in', { name: 'stream' });
    builder.table('in', { name: 'table' });
    expect(refusal(() => builder.build())).toBe(
      "A topic has one source: 'in' is read by 'stream' already, found it again in 'table-source'",
    );
  });

  it('a topic read with two serdes', () => {
    const builder = new StreamsBuilder();
    builder.stream('in', { name: 'first', valueSerde: stringSerde });
    expect(refusal(() => builder.stream('in', { name: 'second', valueSerde: int64Serde }))).toBe(
      "Source 'first' reads in with serdes json/string, found json/int64 in 'second'",
    );
  });

  it('a name given twice', () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in')
      .filter(() => true, { name: 'x' })
      .peek(() => undefined, { name: 'x' });
    expect(refusal(() => builder.build())).toBe(
      "Node names are unique: 'x' is a processor already, found a second, a processor",
    );
  });

  it('a processor whose store was not added', () => {
    const builder = new StreamsBuilder().addStateStore(Stores.keyValue('other'));
    builder.stream('in').process(forward, { name: 'p', stores: ['missing'] });
    expect(refusal(() => builder.build())).toBe(
      "Processor 'p' wants store 'missing', found only [other]: add the store first",
    );
  });

  it('a topology without a node', () => {
    expect(refusal(() => new StreamsBuilder().build().graph)).toBe(
      'A topology wants at least one source, found no node at all',
    );
  });
});
