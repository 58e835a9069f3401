import { describe, expect, it } from 'vitest';
import { int64Serde, isMillraceError, stringSerde } from '../schemas/index.ts';
import { Stores } from './dsl/stores.ts';
import { Topology } from './topology.ts';

const forward = { get: () => ({ process: () => undefined }) };

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isMillraceError(error, 'TOPOLOGY_INVALID')) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

function wordTopology(): Topology {
  return new Topology()
    .addSource('source', ['b', 'a'], { keySerde: stringSerde, valueSerde: stringSerde })
    .addProcessor('count', forward, 'source')
    .addStateStore(
      Stores.window('counts', { keySerde: stringSerde, valueSerde: int64Serde, windowSizeMs: 10, retentionMs: 20 }),
      'count',
    )
    .addSink('sink', 'out', ['count'], { keySerde: stringSerde, valueSerde: int64Serde })
    .addSource('other', /x-.*/)
    .addSink(
      'router',
      function byKey({ key }) {
        return String(key);
      },
      'other',
    );
}

it('describes itself as Kafka Streams does', () => {
  expect(wordTopology().describe()).toBe(`Topologies:
   Sub-topology: 0
    Source: source (topics: [a, b])
      --> count
    Processor: count (stores: [counts])
      --> sink
      <-- source
    Sink: sink (topic: out)
      <-- count

  Sub-topology: 1
    Source: other (topics: x-.*)
      --> router
    Sink: router (extractor class: byKey)
      <-- other

`);
});

it('gives an API nodes, edges and stores, and no functions', () => {
  const json = wordTopology().toJSON();
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  expect(json.subtopologies[0]).toEqual({
    id: 0,
    sourceTopics: ['b', 'a'],
    stores: ['counts'],
    nodes: [
      { name: 'source', kind: 'source', topics: ['b', 'a'] },
      { name: 'count', kind: 'processor', operator: 'process', stores: ['counts'] },
      { name: 'sink', kind: 'sink', topics: ['out'] },
    ],
    edges: [
      { from: 'source', to: 'count' },
      { from: 'count', to: 'sink' },
    ],
  });
  expect(json.stores).toEqual([
    {
      name: 'counts',
      kind: 'window',
      keySerde: 'string',
      valueSerde: 'int64',
      storage: 'rocksdb',
      windowSizeMs: 10,
      retentionMs: 20,
    },
  ]);
});

it('keeps a graph as it was when the topology goes on', () => {
  const topology = wordTopology();
  const before = topology.graph;
  topology.addProcessor('late', forward, 'source');
  expect(before.nodes.has('late')).toBe(false);
  expect(before.nodes.get('source')).toMatchObject({ children: ['count'] });
  expect(topology.graph.nodes.get('source')).toMatchObject({ children: ['count', 'late'] });
});

describe('sub-topologies', () => {
  it('are joined by an edge or a store, and not by a topic', () => {
    const topology = new Topology()
      .addSource('a', 'a')
      .addProcessor('pa', forward, 'a')
      .addSink('to-b', 'b', 'pa')
      .addSource('b', 'b')
      .addProcessor('pb', forward, 'b')
      .addSource('c', 'c')
      .addProcessor('pc', forward, 'c')
      .addStateStore(Stores.keyValue('shared'), 'pb', 'pc');
    expect(topology.graph.subtopologies.map(({ nodes }) => nodes)).toEqual([
      ['a', 'pa', 'to-b'],
      ['b', 'pb', 'c', 'pc'],
    ]);
  });

  it('are numbered by their sources, patterns last', () => {
    const topology = new Topology().addSource('pattern', /p/).addSource('second', 's').addSource('first', 'f');
    expect(topology.graph.subtopologies.map(({ nodes }) => nodes)).toEqual([['second'], ['first'], ['pattern']]);
  });
});

describe('is refused with what was wanted and found', () => {
  it('a parent that is not there', () => {
    expect(refusal(() => new Topology().addSource('a', 'a').addProcessor('p', forward, 'b'))).toBe(
      "processor 'p' wants parent 'b', found only [a]",
    );
  });

  it('a sink as a parent', () => {
    expect(refusal(() => wordTopology().addProcessor('p', forward, 'sink'))).toBe(
      "processor 'p' wants parent 'sink', found a sink",
    );
  });

  it('a node without a parent', () => {
    expect(refusal(() => new Topology().addSink('s', 'out', []))).toBe(
      "sink 's' wants at least one parent, found none",
    );
  });

  it('a topic with two sources, and a source without a topic', () => {
    expect(refusal(() => wordTopology().addSource('again', ['z', 'a']))).toBe(
      "A topic has one source: 'a' is read by 'source' already, found it again in 'again'",
    );
    expect(refusal(() => new Topology().addSource('none', []))).toBe(
      "Source 'none' wants at least one topic, found none",
    );
  });

  it('a store twice, and a store for what is no processor', () => {
    expect(refusal(() => wordTopology().addStateStore(Stores.keyValue('counts')))).toBe(
      "Store 'counts' is there already",
    );
    expect(refusal(() => wordTopology().connectProcessorAndStateStores('source', 'counts'))).toBe(
      "Stores [counts] want a processor 'source', found a source",
    );
  });

  it('a window store that would forget windows that are open', () => {
    expect(refusal(() => Stores.window('w', { windowSizeMs: 10, retentionMs: 5 }))).toBe(
      "Window store 'w' wants a retention of at least its window size, 10 ms, found 5 ms",
    );
  });
});
