import fc from 'fast-check';
import type { Aggregation } from '../../topology/graph/operator.ts';
import type { ProcessorPlan } from './test-processors.ts';

/**
 * A random topology as data: steps that each take an earlier stream (`from`, counted modulo the streams there are) and
 * add one. Any list of steps is a topology, so fast-check can drop steps when it looks for a smaller counterexample.
 * build-plan.ts makes the graph, and says which steps it passes over.
 */
export interface Plan {
  /** Outside topics are in-0 … in-(n-1). */
  readonly topics: number;
  /** Of every outside topic. */
  readonly partitions: number;
  /** Aggregates keep their updates back until the commit. */
  readonly caching: boolean;
  readonly steps: readonly Step[];
}

export type Step = { readonly from: number } & (
  | { readonly op: 'source'; readonly topic: number }
  | { readonly op: 'stateless'; readonly kind: Stateless }
  | { readonly op: 'merge'; readonly other: number }
  | { readonly op: 'table' }
  | { readonly op: 'join'; readonly table: number; readonly left: boolean }
  | { readonly op: 'aggregate'; readonly aggregation: Aggregation['kind'] }
  | {
      readonly op: 'windows';
      readonly aggregation: Aggregation['kind'];
      readonly window: WindowPlan;
      readonly keepKey: boolean;
    }
  | { readonly op: 'repartition'; readonly dropNullKeys: boolean }
  | { readonly op: 'process'; readonly processor: ProcessorPlan; readonly stores: readonly number[] }
  /** Two groups that feed each other: {A, C} share a store, {B, D} another, A feeds B and D feeds C. */
  | { readonly op: 'crossedGroups'; readonly other: number; readonly processors: readonly ProcessorPlan[] }
  | { readonly op: 'sink'; readonly other: number | undefined; readonly nodes: 1 | 2 }
);

export type Stateless =
  | 'filter'
  | 'filterNot'
  | 'map'
  | 'mapValues'
  | 'flatMap'
  | 'flatMapValues'
  | 'selectKey'
  | 'peek'
  | 'passThrough';

export interface WindowPlan {
  readonly sizeMs: number;
  /** Windows a record is in. */
  readonly overlap: 1 | 2;
  readonly graceMs: number;
}

const index = fc.nat({ max: 30 });
const aggregation = fc.constantFrom<Aggregation['kind']>('count', 'reduce', 'aggregate');

const processor: fc.Arbitrary<ProcessorPlan> = fc.record({
  kind: fc.constantFrom('tally', 'latest', 'twice', 'chase'),
  reads: fc.constantFrom('load', 'load', 'await'),
  tick: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom('streamTime', 'streamTime', 'wallClock'),
        intervalMs: fc.constantFrom(3, 10, 25),
      }),
    },
  ),
});

const window: fc.Arbitrary<WindowPlan> = fc.record({
  sizeMs: fc.constantFrom(4, 10),
  overlap: fc.constantFrom(1, 1, 2),
  graceMs: fc.constantFrom(0, 2, 15),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ op: fc.constant('source'), from: index, topic: index }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('stateless'),
      from: index,
      kind: fc.constantFrom<Stateless[]>(
        'filter',
        'filterNot',
        'map',
        'mapValues',
        'flatMap',
        'flatMapValues',
        'selectKey',
        'peek',
        'passThrough',
      ),
    }),
  },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('merge'), from: index, other: index }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('table'), from: index }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('join'), from: index, table: index, left: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('aggregate'), from: index, aggregation }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('windows'), from: index, aggregation, window, keepKey: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('repartition'), from: index, dropNullKeys: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('process'),
      from: index,
      processor,
      stores: fc.uniqueArray(fc.nat({ max: 2 }), { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('crossedGroups'),
      from: index,
      other: index,
      processors: fc.array(processor, { minLength: 4, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('sink'),
      from: index,
      other: fc.option(index, { nil: undefined }),
      nodes: fc.constantFrom(1, 2),
    }),
  },
);

export interface PlanOptions {
  readonly caching: boolean;
  readonly maxPartitions: number;
  readonly maxSteps: number;
}

export function planArbitrary({ caching, maxPartitions, maxSteps }: PlanOptions): fc.Arbitrary<Plan> {
  return fc.record({
    topics: fc.integer({ min: 1, max: 3 }),
    partitions: fc.integer({ min: 1, max: maxPartitions }),
    caching: fc.constant(caching),
    steps: fc.array(step, { minLength: 1, maxLength: maxSteps, size: 'max' }),
  });
}
