import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPlan } from './build-plan.ts';
import { historyArbitrary } from './history.ts';
import { planArbitrary } from './plan.ts';
import { runNaively } from './run-naively.ts';

/** A property over topologies that never send anything would hold for ever. */
describe('generated topologies and histories', () => {
  const samples = fc.sample(
    fc.tuple(planArbitrary({ caching: false, maxPartitions: 2, maxSteps: 14 }), historyArbitrary(3)),
    { seed: 7, numRuns: 200 },
  );
  const runs = samples.map(([plan, history]) => {
    const built = buildPlan(plan, () => {});
    return { plan, history, built, ...runNaively(plan, built, history) };
  });

  it('mostly send records and fill stores', () => {
    const sending = runs.filter(({ sinks }) => [...sinks.values()].flat().length >= 10);
    const storing = runs.filter(({ stores }) => [...stores.values()].flat().length >= 3);
    expect(sending.length).toBeGreaterThan(150);
    expect(storing.length).toBeGreaterThan(100);
  });

  it('have every operator, paths that meet, shared stores and repartition topics among them', () => {
    const nodes = runs.flatMap(({ built }) => [...built.graph.nodes.values()]);
    const operators = new Set(nodes.map((node) => (node.kind === 'processor' ? node.operator.op : node.kind)));
    expect([...operators].sort()).toEqual(
      [
        ...['aggregate', 'dropNullKeys', 'filter', 'flatMap', 'flatMapValues', 'map', 'mapValues', 'passThrough'],
        ...['peek', 'process', 'selectKey', 'sink', 'source', 'streamTableJoin', 'tableSource', 'toStream'],
        'windowedAggregate',
      ].sort(),
    );
    const meeting = nodes.filter((node) => node.kind !== 'source' && node.parents.length > 1);
    expect(meeting.length).toBeGreaterThan(50);
    expect(runs.filter(({ built }) => built.graph.subtopologies.length > 1).length).toBeGreaterThan(50);
    const crowded = runs.filter(({ built: { graph } }) =>
      [...graph.stores.keys()].some(
        (store) =>
          [...graph.nodes.values()].filter((n) => n.kind === 'processor' && n.stores.includes(store)).length > 1,
      ),
    );
    expect(crowded.length).toBeGreaterThan(50);
  });

  it('are the same for the interpreter every time', () => {
    for (const { plan, history, sinks } of runs.slice(0, 20)) {
      const again = runNaively(
        plan,
        buildPlan(plan, () => {}),
        history,
      );
      expect(again.sinks).toEqual(sinks);
    }
  });
});
