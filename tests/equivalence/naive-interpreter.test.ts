import { describe, expect, it } from 'vitest';
import type { KeyValueStore } from '../../state/store.ts';
import type { Aggregation } from '../../topology/graph/operator.ts';
import type { ProcessorContext } from '../../topology/processor.ts';
import type { Record } from '../../topology/record.ts';
import { GraphSketch } from './graph-sketch.ts';
import { jsonSerde } from './json-serde.ts';
import { murmur2 } from './murmur2.ts';
import { NaiveInterpreter } from './naive-interpreter.ts';

/**
 * What the oracle itself is held to. Cases marked with a test's name carry inputs and outputs of Apache Kafka's own
 * tests (Apache License 2.0), read off at 4.0; the others follow from the rules by hand.
 */

type Input = readonly [topic: string, key: unknown, value: unknown, timestamp: number];
type Output = readonly [key: unknown, value: unknown, timestamp: number];

/** Processes the inputs one by one, and says what each added to the topic `out`. */
function run(graph: GraphSketch, inputs: readonly Input[]): { outputs: Output[][]; interpreter: NaiveInterpreter } {
  const interpreter = new NaiveInterpreter(graph.build());
  const outputs = inputs.map(([topic, key, value, timestamp]) => {
    const before = interpreter.topic('out')[0]!.length;
    interpreter.appendTo(topic, 0, { key, value, timestamp, headers: [] });
    interpreter.run();
    return outOf(interpreter).slice(before);
  });
  return { outputs, interpreter };
}

function outOf(interpreter: NaiveInterpreter): Output[] {
  return interpreter.topic('out')[0]!.map(({ key, value, timestamp }) => [key, value, timestamp]);
}

const concatenate: Aggregation = {
  kind: 'aggregate',
  initializer: () => '0',
  aggregator: (_key, value, aggregate) => `${String(aggregate)}+${String(value)}`,
};
const reduceByConcatenation: Aggregation = { kind: 'reduce', reducer: (a, b) => `${String(a)}+${String(b)}` };

function aggregation(kind: Aggregation): GraphSketch {
  const graph = new GraphSketch();
  const aggregate = graph.processor(
    { op: 'aggregate', store: 'aggregate', aggregation: kind },
    [graph.source('in')],
    [graph.tableStore('aggregate', false)],
  );
  graph.sink('out', [graph.processor({ op: 'toStream', mapper: undefined }, [aggregate])]);
  return graph;
}

function windows(kind: Aggregation, window: { sizeMs: number; advanceMs: number; graceMs: number }): GraphSketch {
  const graph = new GraphSketch();
  const sizes = { windowSizeMs: window.sizeMs, retentionMs: window.sizeMs + window.graceMs };
  const aggregate = graph.processor(
    { op: 'windowedAggregate', store: 'windows', window, aggregation: kind },
    [graph.source('in')],
    [graph.windowStore('windows', sizes, false)],
  );
  const mapper = (key: unknown) => {
    const { key: inner, window: of } = key as { key: string; window: { startMs: number; endMs: number } };
    return `${inner}@${of.startMs}/${of.endMs}`;
  };
  graph.sink('out', [graph.processor({ op: 'toStream', mapper }, [aggregate])]);
  return graph;
}

function join(left: boolean): GraphSketch {
  const graph = new GraphSketch();
  const stream = graph.source('stream');
  graph.processor({ op: 'tableSource', store: 'table' }, [graph.source('table')], [graph.tableStore('table', false)]);
  const joined = graph.processor(
    { op: 'streamTableJoin', store: 'table', left, joiner: (_key, a, b) => `${String(a)}+${String(b)}` },
    [stream],
    ['table'],
  );
  graph.sink('out', [joined]);
  return graph;
}

describe('aggregation', () => {
  const inputs: Input[] = [
    ['in', '1', 'A', 5],
    ['in', '2', 'B', 1],
    ['in', '1', 'C', 3],
    ['in', '1', 'D', 10],
    ['in', '3', 'E', 8],
    ['in', '3', 'F', 9],
    ['in', '3', null, 1_000],
    ['in', null, 'X', 2_000],
  ];

  it('keeps the latest timestamp and skips null values (KGroupedStreamImplTest.shouldAggregateWithDefaultSerdes)', () => {
    expect(run(aggregation(concatenate), inputs).outputs).toEqual([
      [['1', '0+A', 5]],
      [['2', '0+B', 1]],
      [['1', '0+A+C', 5]],
      [['1', '0+A+C+D', 10]],
      [['3', '0+E', 8]],
      [['3', '0+E+F', 9]],
      [],
      [],
    ]);
  });

  it('reduces from the first value on (KGroupedStreamImplTest.shouldReduceAndMaterializeResults)', () => {
    const { interpreter } = run(aggregation(reduceByConcatenation), inputs);
    expect([...interpreter.task('aggregate').tables.get('aggregate')!.rows.values()]).toEqual([
      { key: '1', windowStartMs: -1, value: 'A+C+D', timestamp: 10 },
      { key: '2', windowStartMs: -1, value: 'B', timestamp: 1 },
      { key: '3', windowStartMs: -1, value: 'E+F', timestamp: 9 },
    ]);
  });

  it('takes a null aggregate as a deletion and begins anew after it', () => {
    const untilDelete: Aggregation = {
      kind: 'aggregate',
      initializer: () => 0,
      aggregator: (_key, value, aggregate) => (value === 'delete' ? null : (aggregate as number) + 1),
    };
    const { outputs, interpreter } = run(aggregation(untilDelete), [
      ['in', 'a', 'x', 7],
      ['in', 'a', 'delete', 3],
      ['in', 'a', 'x', 2],
    ]);
    expect(outputs).toEqual([[['a', 1, 7]], [['a', null, 7]], [['a', 1, 2]]]);
    expect(interpreter.task('aggregate').tables.get('aggregate')!.rows.size).toBe(1);
  });
});

describe('windows', () => {
  it('tumble, and close when stream time reaches end + grace', () => {
    const graph = windows({ kind: 'count' }, { sizeMs: 10, advanceMs: 10, graceMs: 5 });
    const inputs: Input[] = [
      ['in', 'a', '1', 0],
      ['in', 'a', '2', 4],
      ['in', 'b', '1', 5],
      ['in', 'a', '3', 10],
      ['in', 'a', 'late, inside grace', 7],
      ['in', 'a', '4', 17],
      ['in', 'a', 'too late', 6],
      ['in', 'b', '2', 40],
    ];
    expect(run(graph, inputs).outputs).toEqual([
      [['a@0/10', 1, 0]],
      [['a@0/10', 2, 4]],
      [['b@0/10', 1, 5]],
      [['a@10/20', 1, 10]],
      [['a@0/10', 3, 7]],
      [['a@10/20', 2, 17]],
      [],
      [['b@40/50', 1, 40]],
    ]);
  });

  it('are kept one by one for a record that some still take (KStreamWindowAggregateTest, late records)', () => {
    const plus: Aggregation = {
      kind: 'aggregate',
      initializer: () => '',
      aggregator: (_key, value, aggregate) => `${String(aggregate)}+${String(value)}`,
    };
    const inputs = [100, 0, 1, 2, 3, 4, 5, 6, 105, 106].map((time): Input => ['in', 'k', String(time), time]);
    expect(run(windows(plus, { sizeMs: 10, advanceMs: 5, graceMs: 90 }), inputs).outputs).toEqual([
      [
        ['k@95/105', '+100', 100],
        ['k@100/110', '+100', 100],
      ],
      [],
      [],
      [],
      [],
      [],
      [['k@5/15', '+5', 5]],
      [['k@5/15', '+5+6', 6]],
      [
        ['k@100/110', '+100+105', 105],
        ['k@105/115', '+105', 105],
      ],
      [
        ['k@100/110', '+100+105+106', 106],
        ['k@105/115', '+105+106', 106],
      ],
    ]);
  });

  it('count null values, and skip null keys without moving stream time', () => {
    const graph = windows({ kind: 'count' }, { sizeMs: 10, advanceMs: 10, graceMs: 0 });
    const inputs: Input[] = [
      ['in', 'a', null, 3],
      ['in', null, 'x', 500],
      ['in', 'a', 'x', 4],
    ];
    expect(run(graph, inputs).outputs).toEqual([[['a@0/10', 1, 3]], [], [['a@0/10', 2, 4]]]);
  });
});

describe('stream-table join', () => {
  it('follows the order of arrival, and tombstones (StreamTableJoinIntegrationTest.testInner)', () => {
    const values: readonly (readonly ['stream' | 'table', string | null, number])[] = [
      ['stream', null, 1],
      ['table', null, 2],
      ['stream', 'A', 3],
      ['table', 'a', 4],
      ['stream', 'B', 5],
      ['table', 'b', 6],
      ['stream', null, 7],
      ['table', null, 8],
      ['stream', 'C', 9],
      ['table', 'c', 10],
      ['table', null, 11],
      ['stream', null, 12],
      ['table', null, 13],
      ['table', 'd', 7],
      ['stream', 'D', 6],
      ['table', 'e', 14],
      ['stream', 'E', 15],
    ];
    const { interpreter } = run(
      join(false),
      values.map(([topic, value, time]): Input => [topic, 0, value, time]),
    );
    expect(outOf(interpreter)).toEqual([
      [0, 'B+a', 5],
      [0, 'D+d', 6],
      [0, 'E+e', 15],
    ]);
  });

  it('on the left joins with null where the table has nothing (KStreamKTableLeftJoinTest)', () => {
    const { outputs } = run(join(true), [
      ['table', 0, 'Y0', 331_704_094],
      ['stream', 0, 'X0', 0],
      ['table', 0, null, 0],
      ['stream', 0, 'XX0', 0],
      ['stream', 0, null, 0],
    ]);
    expect(outputs).toEqual([[], [[0, 'X0+Y0', 0]], [], [[0, 'XX0+null', 0]], []]);
  });

  it('on the left takes a null key as found nowhere (RelaxedNullKeyRequirementJoinTest)', () => {
    expect(run(join(true), [['stream', null, 'left', 0]]).outputs).toEqual([[[null, 'left+null', 0]]]);
    expect(run(join(false), [['stream', null, 'left', 0]]).outputs).toEqual([[]]);
  });

  it('of a source with itself sees the old row when the join is the first child, the new one when the table is', () => {
    const inputs: Input[] = [
      ['in', 'a', '1', 0],
      ['in', 'a', '2', 1],
    ];
    const outputs = (['join first', 'table first'] as const).map((order) => {
      const graph = new GraphSketch();
      const source = graph.source('in');
      const store = graph.tableStore('table', false);
      const add = {
        'table first': () => graph.processor({ op: 'tableSource', store }, [source], [store]),
        'join first': () =>
          graph.sink('out', [
            graph.processor(
              { op: 'streamTableJoin', store, left: true, joiner: (_key, a, b) => `${String(a)}+${String(b)}` },
              [source],
              [store],
            ),
          ]),
      };
      add[order]();
      add[order === 'join first' ? 'table first' : 'join first']();
      return outOf(run(graph, inputs).interpreter).map(([, value]) => value);
    });
    expect(outputs).toEqual([
      ['1+null', '2+1'],
      ['1+1', '2+2'],
    ]);
  });
});

describe('order', () => {
  it('one output goes through all descendants of all children before the next one starts', () => {
    const graph = new GraphSketch();
    const pairs = graph.processor(
      { op: 'flatMapValues', mapper: (value) => [`${String(value)}1`, `${String(value)}2`] },
      [graph.source('in')],
    );
    const long = graph.processor({ op: 'mapValues', mapper: (value) => `${String(value)}long` }, [
      graph.processor({ op: 'passThrough' }, [pairs]),
    ]);
    const short = graph.processor({ op: 'mapValues', mapper: (value) => `${String(value)}short` }, [pairs]);
    graph.sink('out', [graph.processor({ op: 'passThrough' }, [short, long])]);
    const { outputs } = run(graph, [['in', 'k', 'a', 0]]);
    expect(outputs[0]!.map(([, value]) => value)).toEqual(['a1long', 'a1short', 'a2long', 'a2short']);
  });

  it('the lowest timestamp at the head of a topic is next, in each topic the order of arrival', () => {
    const graph = new GraphSketch();
    graph.sink('out', [graph.processor({ op: 'passThrough' }, [graph.source('x'), graph.source('y')])]);
    const interpreter = new NaiveInterpreter(graph.build());
    const records: readonly Input[] = [
      ['x', 'k', 'x5', 5],
      ['x', 'k', 'x1', 1],
      ['y', 'k', 'y3', 3],
      ['y', 'k', 'y9', 9],
    ];
    for (const [topic, key, value, timestamp] of records) {
      interpreter.appendTo(topic, 0, { key, value, timestamp, headers: [] });
    }
    interpreter.run();
    expect(outOf(interpreter).map(([, value]) => value)).toEqual(['y3', 'x5', 'x1', 'y9']);
  });

  it('a child sees what its parent has put before the forward, and not what it puts after it', () => {
    const graph = new GraphSketch();
    const store = graph.keyValueStore('shared');
    const first = graph.processor(
      {
        op: 'process',
        supplier: {
          get: () => ({
            init: (context: ProcessorContext) => void (contextOfFirst = context),
            process(record: Record<unknown, unknown>) {
              const shared = contextOfFirst.getStateStore<Store>('shared');
              shared.put('x', 'before');
              contextOfFirst.forward(record);
              shared.put('x', 'after');
            },
          }),
        },
      },
      [graph.source('in')],
      [store],
    );
    const second = graph.processor(
      {
        op: 'process',
        supplier: {
          get: () => ({
            init: (context: ProcessorContext) => void (contextOfSecond = context),
            process(record: Record<unknown, unknown>) {
              contextOfSecond.forward({
                ...record,
                value: contextOfSecond.getStateStore<Store>('shared').getLoaded('x'),
              });
            },
          }),
        },
      },
      [first],
      [store],
    );
    graph.sink('out', [second]);
    const { interpreter } = run(graph, [['in', 'k', 'v', 0]]);
    expect(outOf(interpreter)).toEqual([['k', 'before', 0]]);
    expect(interpreter.task('shared').keyValueStores.get('shared')!.getLoaded('x')).toBe('after');
  });

  type Store = KeyValueStore<string, unknown>;
  let contextOfFirst: ProcessorContext;
  let contextOfSecond: ProcessorContext;
});

describe('punctuation', () => {
  function ticking(type: 'streamTime' | 'wallClock', intervalMs: number): GraphSketch {
    const graph = new GraphSketch();
    const ticks = graph.processor(
      {
        op: 'process',
        supplier: {
          get: () => ({
            init(context: ProcessorContext) {
              context.schedule(intervalMs, type, (now) =>
                context.forward({ key: 'punctuate', value: now, timestamp: now, headers: [] }),
              );
            },
            process() {},
          }),
        },
      },
      [graph.source('in')],
    );
    graph.sink('out', [ticks]);
    return graph;
  }

  it('on stream time falls due at the first record, then at multiples of the interval (TopologyTestDriverTest)', () => {
    const times = [42, 42, 51, 52, 61, 65, 71, 72, 95, 101, 102];
    const { interpreter } = run(
      ticking('streamTime', 10),
      times.map((time): Input => ['in', 'k', 'v', time]),
    );
    expect(outOf(interpreter).map(([, value]) => value)).toEqual([42, 51, 61, 71, 95, 101]);
  });

  it('on wall-clock time falls due one interval from now, and once however many have passed', () => {
    const interpreter = new NaiveInterpreter(ticking('wallClock', 10).build(), { initialWallClockMs: 3 });
    for (const ms of [9, 1, 9, 25, 5, 1]) interpreter.advanceWallClock(ms);
    expect(outOf(interpreter).map(([, value]) => value)).toEqual([13, 47, 53]);
  });
});

describe('partitions', () => {
  it('are chosen by the hash that Apache Kafka publishes test values of (UtilsTest.testMurmur2)', () => {
    const hashes = ['21', 'foobar', 'a-little-bit-long-string', 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8'];
    expect(hashes.map((text) => murmur2(new TextEncoder().encode(text)))).toEqual([
      -973932308, -790332482, -985981536, -58897971,
    ]);
  });

  it('each have state of their own, and a repartition topic as many as the sources above it', () => {
    const graph = new GraphSketch();
    const again = graph.repartition(
      graph.processor({ op: 'selectKey', mapper: (_key, value) => value }, [graph.source('in')]),
    );
    const counts = graph.processor(
      { op: 'aggregate', store: 'counts', aggregation: { kind: 'count' } },
      [again],
      [graph.tableStore('counts', false)],
    );
    graph.sink('out', [graph.processor({ op: 'toStream', mapper: undefined }, [counts])]);
    const interpreter = new NaiveInterpreter(graph.build(), { partitions: { in: 3 } });
    const words = 'to be or not to be that is the question'.split(' ');
    for (const [i, word] of words.entries()) {
      const key = `line ${i}`;
      interpreter.append('in', { key, value: word, timestamp: i }, jsonSerde.serialize(key));
    }
    interpreter.run();
    expect(interpreter.storePartitions('counts')).toBe(3);
    const rows = [0, 1, 2].map((partition) => interpreter.task('counts', partition).tables.get('counts')!.rows.size);
    expect(rows.reduce((sum, each) => sum + each)).toBe(new Set(words).size);
    expect(rows.filter((each) => each > 0).length).toBeGreaterThan(1);
    const last = new Map(outOf(interpreter).map(([key, value]) => [key, value]));
    expect(last.get('to')).toBe(2);
    expect(last.get('question')).toBe(1);
  });
});
