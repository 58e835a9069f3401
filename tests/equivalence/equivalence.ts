import fc from 'fast-check';
import { buildPlan, type BuiltPlan } from './build-plan.ts';
import { historyArbitrary, type History } from './history.ts';
import { difference } from './outcome.ts';
import { planArbitrary, type Plan, type PlanOptions } from './plan.ts';
import { runInMillrace } from './run-in-millrace.ts';
import { runNaively } from './run-naively.ts';

export interface PropertyOptions extends PlanOptions {
  readonly maxRounds: number;
}

/**
 * The property of docs/architecture/batch-execution.md: whatever the topology, the history, the cuts into batches and
 * the crashes, the runtime ends where one record at a time ends.
 */
export function sameAsOneAtATime(options: PropertyOptions): fc.IAsyncPropertyWithHooks<[Plan, History]> {
  return fc.asyncProperty(planArbitrary(options), historyArbitrary(options.maxRounds), async (plan, history) => {
    const found = await compare(plan, history);
    if (found !== undefined) throw new Error(`${found}\n${shapeOf(buildPlan(plan, () => {}))}`);
  });
}

/** The first difference between the interpreter and the runtime; undefined when there is none. */
export async function compare(plan: Plan, history: History): Promise<string | undefined> {
  const seen = { naive: new Map<string, unknown[]>(), millrace: new Map<string, unknown[]>() };
  // Each run has a graph of its own: processors and peeks belong to one run.
  const graphs = { naive: buildPlan(plan, noteIn(seen.naive)), millrace: buildPlan(plan, noteIn(seen.millrace)) };
  const expected = { ...runNaively(plan, graphs.naive, history), peeks: seen.naive };
  const actual = { ...(await runInMillrace(plan, graphs.millrace, history)), peeks: seen.millrace };
  const crashes = history.rounds.some(({ crashAfterBatches }) => crashAfterBatches !== undefined);
  return difference({ plan, built: graphs.naive, expected, actual }, { peeks: !crashes });
}

function noteIn(seen: Map<string, unknown[]>) {
  return (node: string, key: unknown, value: unknown): void => {
    const before = seen.get(node);
    if (before === undefined) seen.set(node, [[key, value]]);
    else before.push([key, value]);
  };
}

/** The topology of a counterexample, a node a line. */
function shapeOf({ graph }: BuiltPlan): string {
  return [...graph.nodes.values()]
    .map((node) => {
      const stores = node.kind === 'processor' && node.stores.length > 0 ? ` (${node.stores.join(', ')})` : '';
      const target = node.kind === 'sink' ? ` => ${String(node.topic)}` : ` --> ${node.children.join(', ')}`;
      return `${node.name}${stores}${target}`;
    })
    .join('\n');
}
