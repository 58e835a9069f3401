import { expect, test } from 'vitest';
import { stringSerde } from '../../schemas/index.ts';
import { Stores, StreamsBuilder, Topology } from '../index.ts';
import type { Processor } from '../processor.ts';
import { planSubtopology } from './plan.ts';

const pass: Processor<unknown, unknown> = { process() {} };
const supplier = { get: () => pass };
const store = (name: string) => Stores.keyValue(name, { keySerde: stringSerde, valueSerde: stringSerde });

function planOf(topology: Topology) {
  const { graph } = topology;
  const plan = planSubtopology(graph, graph.subtopologies[0]!);
  return { ...plan, units: plan.units.map(({ nodes }) => nodes) };
}

test('a chain is one unit a node, and keeps no turns', () => {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream('in')
    .filter(() => true, { name: 'f' })
    .mapValues(String, { name: 'm' })
    .to('out', { name: 'out' });
  const plan = planOf(builder.build());
  expect(plan.units).toEqual([['f'], ['m'], ['out']]);
  expect(plan.tracked.size).toBe(0);
});

test('nodes that share a store are one unit', () => {
  const topology = new Topology()
    .addSource('s', 'in')
    .addProcessor('a', supplier, 's')
    .addProcessor('b', supplier, 's')
    .addProcessor('c', supplier, 'b')
    .addStateStore(store('shared'), 'a', 'c');
  expect(planOf(topology).units).toEqual([['b'], ['a', 'c']]);
});

test('groups that feed each other become one', () => {
  // {a, c} share one store, {b, d} another; a → b and d → c.
  const topology = new Topology()
    .addSource('s', 'in')
    .addProcessor('a', supplier, 's')
    .addProcessor('b', supplier, 'a')
    .addProcessor('d', supplier, 's')
    .addProcessor('c', supplier, 'd')
    .addStateStore(store('one'), 'a', 'c')
    .addStateStore(store('two'), 'b', 'd');
  const { units } = planOf(topology);
  expect(units).toHaveLength(1);
  expect(units[0]!.toSorted()).toEqual(['a', 'b', 'c', 'd']);
});

test('turns are kept above a merge only', () => {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  const source = builder.stream('in', { name: 's' });
  const left = source.filter(() => true, { name: 'left' });
  const right = source.filter(() => true, { name: 'right' });
  left.merge(right, { name: 'merge' }).peek(() => undefined, { name: 'below' });
  source.foreach(() => undefined, { name: 'aside' });
  expect([...planOf(builder.build()).tracked].toSorted()).toEqual(['left', 'right', 's']);
});

test('two sinks of one topic make the sends ordered', () => {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  const source = builder.stream('in', { name: 's' });
  source.to('out', { name: 'one' });
  expect(planOf(builder.build()).sortsSends).toBe(false);
  source.to('out', { name: 'two' });
  expect(planOf(builder.build()).sortsSends).toBe(true);
});
