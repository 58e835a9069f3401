import {
  KGroupedStream,
  KStream,
  KTable,
  StreamsBuilder,
  TimeWindowedKStream,
  TimeWindows,
  type Materialized,
  type ProcessorSupplier,
  type Topology,
} from '../../topology/index.ts';
import { compile, printed, type Expression } from './expression.ts';
import { forwardAll } from './forward-all.ts';
import { NotYet } from './not-yet.ts';
import { processorTopology } from './processor-program.ts';
import { array, MalformedScenario, number, object, oneOf, string, type ProgramOp, type Scenario } from './scenario.ts';
import { scenarioSerde } from './scenario-serde.ts';

export interface Capture {
  readonly name: string;
  readonly records: { readonly key: unknown; readonly value: unknown; readonly timestamp: number }[];
}

export interface Program {
  readonly topology: Topology;
  readonly captures: readonly Capture[];
}

/**
 * Writes a scenario's program with our DSL (or Processor API), one call an op.
 * @throws NotYet for an operator that we do not have; MalformedScenario for one that the language does not have.
 */
export function interpret(scenario: Scenario): Program {
  if (scenario.optimize === 'all') throw new NotYet('topology optimisation');
  if (scenario.api === 'processor') return { topology: processorTopology(scenario.program), captures: [] };
  const interpreter = new Interpreter();
  for (const op of scenario.program) interpreter.apply(op);
  return { topology: interpreter.builder.build(), captures: interpreter.captures };
}

type Stream = KStream<unknown, unknown>;
type Value =
  | Stream
  | KTable<unknown, unknown>
  | KGroupedStream<unknown, unknown>
  | TimeWindowedKStream<unknown, unknown>;

class Interpreter {
  readonly builder = new StreamsBuilder({ keySerde: scenarioSerde, valueSerde: scenarioSerde });
  readonly captures: Capture[] = [];
  readonly #values = new Map<string, Value>();

  apply(op: ProgramOp): void {
    const result = this.#result(op);
    if (result === undefined) return;
    this.#values.set(string(op['as'], `${op.op}.as`), result);
  }

  #result(op: ProgramOp): Value | void {
    const named = { name: op['name'] as string | undefined };
    switch (op.op) {
      case 'stream':
        return this.builder.stream(sourceTopics(op), named);
      case 'table':
        return this.builder.table(string(op['topic'], 'table.topic'), { ...named, store: store(op) });
      case 'filter':
      case 'filterNot': {
        const predicate = recordExpression(op['if']);
        const isTrue = (key: unknown, value: unknown) => predicate(key, value) === true;
        return this.#stream(op)[op.op](isTrue, named);
      }
      case 'map': {
        const [key, value] = [recordExpression(op['key']), recordExpression(op['value'])];
        return this.#stream(op).map((k, v) => [key(k, v), value(k, v)], named);
      }
      case 'mapValues': {
        const value = recordExpression(op['value']);
        return this.#stream(op).mapValues((v, k) => value(k, v), named);
      }
      case 'flatMap': {
        const records = array(op['records'], 'flatMap.records').map((record) => {
          const { key, value } = object(record, 'flatMap.records');
          return [recordExpression(key), recordExpression(value)] as const;
        });
        return this.#stream(op).flatMap(
          (k, v) => records.map(([key, value]) => [key(k, v), value(k, v)] as const),
          named,
        );
      }
      case 'flatMapValues':
        return this.#stream(op).flatMapValues(values(op), named);
      case 'selectKey':
        return this.#stream(op).selectKey(recordExpression(op['key']), named);
      case 'peek':
        return this.#stream(op).peek(nothing, named);
      case 'foreach':
        return this.#stream(op).foreach(nothing, named);
      case 'process':
        return this.#stream(op).process(forwardAll, named);
      case 'punctuate': {
        const type = oneOf(op['type'], ['streamTime', 'wallClock'] as const, 'punctuate.type');
        return this.#stream(op).process(punctuate(type, number(op['intervalMs'], 'punctuate.intervalMs')), named);
      }
      case 'capture': {
        const capture: Capture = { name: string(op['out'], 'capture.out'), records: [] };
        this.captures.push(capture);
        return void this.#stream(op).process(captureInto(capture), named);
      }
      case 'merge': {
        const [left, right] = array(op['from'], 'merge.from').map((from) => this.#streamOf(from, op));
        return left!.merge(right!, named);
      }
      case 'repartition':
        return this.#stream(op).repartition({ ...named, partitions: op['partitions'] as number | undefined });
      case 'to': {
        if (op['topicFrom'] === undefined) return this.#stream(op).to(string(op['topic'], 'to.topic'), named);
        const topic = compile(op['topicFrom']);
        return this.#stream(op).to(({ key, value }) => printed(topic({ key, value })), named);
      }
      case 'toStream': {
        const table = this.#value(op['from']);
        if (!(table instanceof KTable)) throw new MalformedScenario('toStream wants a table');
        const stream = table.toStream(named);
        return op['key'] === undefined ? stream : stream.selectKey(recordExpression(op['key']));
      }
      case 'groupByKey':
        return this.#stream(op).groupByKey(named);
      case 'groupBy':
        return this.#stream(op).groupBy(recordExpression(op['key']), named);
      case 'windowedBy':
        return this.#windowedBy(op);
      case 'count':
        return this.#grouped(op).count({ ...named, store: store<number>(op) }) as KTable<unknown, unknown>;
      case 'reduce': {
        const adder = compile(op['adder']);
        return this.#grouped(op).reduce((agg, value) => adder({ agg, value }), { ...named, store: store(op) });
      }
      case 'aggregate': {
        const [init, adder] = [compile(op['init']), compile(op['adder'])];
        const options = { ...named, store: store(op) };
        return this.#grouped(op).aggregate(
          () => init({}),
          (key, value, agg) => adder({ key, value, agg }),
          options,
        );
      }
      case 'join':
        return this.#join(op);
      case 'globalTable':
      case 'split':
      case 'toTable':
      case 'cogroup':
      case 'fkJoin':
      case 'suppress':
        throw new NotYet(op.op);
      default:
        throw new MalformedScenario(`the language has no op '${op.op}'`);
    }
  }

  #windowedBy(op: ProgramOp): Value {
    const grouped = this.#value(op['from']);
    if (op['emit'] !== undefined) throw new NotYet('emit on window close');
    const window = object(op['window'], 'windowedBy.window');
    const type = oneOf(window['type'], ['time', 'sliding', 'session'] as const, 'windowedBy.window.type');
    if (type !== 'time') throw new NotYet(`${type} windows`);
    if (!(grouped instanceof KGroupedStream)) throw new MalformedScenario('windowedBy wants a grouped stream');
    const [sizeMs, graceMs] = [number(window['sizeMs'], 'window.sizeMs'), number(window['graceMs'], 'window.graceMs')];
    if (window['advanceMs'] !== undefined && window['advanceMs'] !== sizeMs) throw new NotYet('hopping windows');
    return grouped.windowedBy(TimeWindows.ofSizeAndGrace({ sizeMs, graceMs }));
  }

  #join(op: ProgramOp): Value {
    const [left, right] = [this.#value(op['left']), this.#value(op['right'])];
    const type = oneOf(op['type'], ['inner', 'left', 'outer'] as const, 'join.type');
    if (!(left instanceof KStream)) throw new NotYet('table-table join');
    if (!(right instanceof KTable)) throw new NotYet('stream-stream join');
    if (op['graceMs'] !== undefined) throw new NotYet('stream-table join with grace');
    const joiner = compile(op['joiner']);
    const join = (l: unknown, r: unknown, key: unknown) => joiner({ left: l, right: r, key });
    const named = { name: op['name'] as string | undefined };
    if (type === 'outer') throw new MalformedScenario('a stream-table join is inner or left');
    return type === 'left' ? left.leftJoin(right, join, named) : left.join(right, join, named);
  }

  #grouped(op: ProgramOp) {
    const grouped = this.#value(op['from']);
    if (grouped instanceof KGroupedStream || grouped instanceof TimeWindowedKStream) {
      // Both have the same three aggregations; their unions of signatures do not unify, so one of them stands for both.
      return grouped as KGroupedStream<unknown, unknown>;
    }
    throw new MalformedScenario(`${op.op} wants a grouping`);
  }

  #stream(op: ProgramOp): Stream {
    return this.#streamOf(op['from'], op);
  }

  #streamOf(from: unknown, op: ProgramOp): Stream {
    const value = this.#value(from);
    if (value instanceof KTable) throw new NotYet(`KTable ${op.op}`);
    if (value instanceof KStream) return value;
    throw new MalformedScenario(`${op.op} wants a stream`);
  }

  #value(name: unknown): Value {
    const value = this.#values.get(string(name, 'from'));
    if (value === undefined) throw new MalformedScenario(`wants a result named '${String(name)}', found none`);
    return value;
  }
}

function sourceTopics(op: ProgramOp): string | string[] | RegExp {
  if (op['pattern'] !== undefined) return new RegExp(string(op['pattern'], 'stream.pattern'));
  if (op['topics'] !== undefined) return array(op['topics'], 'stream.topics').map((topic) => string(topic, 'topic'));
  return string(op['topic'], 'stream.topic');
}

function store<A = unknown>(op: ProgramOp): Materialized<unknown, A> | undefined {
  if (op['store'] === undefined) return undefined;
  const given = object(op['store'], `${op.op}.store`);
  const type =
    given['type'] === undefined
      ? 'rocksdb'
      : oneOf(given['type'], ['memory', 'rocksdb', 'versioned'] as const, 'store.type');
  if (type === 'versioned') throw new NotYet('versioned store');
  return {
    name: given['name'] as string | undefined,
    storage: type,
    caching: given['caching'] as boolean | undefined,
    logging: given['logging'] as boolean | undefined,
    retentionMs: given['retentionMs'] as number | undefined,
  };
}

function recordExpression(json: unknown): (key: unknown, value: unknown) => unknown {
  const expression: Expression = compile(json);
  return (key, value) => expression({ key, value });
}

function values(op: ProgramOp): (value: unknown, key: unknown) => unknown[] {
  if (op['splitBy'] !== undefined) {
    const separator = string(op['splitBy'], 'flatMapValues.splitBy');
    return (value) => (value as string).split(separator);
  }
  const expressions = array(op['values'], 'flatMapValues.values').map(recordExpression);
  return (value, key) => expressions.map((expression) => expression(key, value));
}

const nothing = (): void => undefined;

function captureInto(capture: Capture): ProcessorSupplier<unknown, unknown> {
  return { get: () => ({ process: (record) => void capture.records.push(record) }) };
}

function punctuate(type: 'streamTime' | 'wallClock', intervalMs: number): ProcessorSupplier<unknown, unknown> {
  return {
    get: () => ({
      init(context) {
        context.schedule(intervalMs, type, (timestamp) =>
          context.forward({ key: 'punctuate', value: timestamp, timestamp, headers: [] }),
        );
      },
      process: nothing,
    }),
  };
}
