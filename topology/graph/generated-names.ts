import type { TopologyGraph } from './graph.ts';

/**
 * Kafka Streams numbers what has no name. A number is stable only while nothing is added before it: one more filter, and
 * a count starts at zero under its new name. So every store and repartition topic with a generated name is pointed out.
 */
export function generatedNameWarnings(graph: TopologyGraph): readonly string[] {
  const warnings: string[] = [];
  for (const store of graph.stores.keys()) {
    if (!generatedStore.test(store)) continue;
    const users = [...graph.nodes.values()].filter((node) => node.kind === 'processor' && node.stores.includes(store));
    warnings.push(
      `Store '${store}' of ${users.map((node) => `'${node.name}'`).join(', ')} has a generated name: adding an operator ` +
        "before it renames it, and its content is lost. Name it: { store: 'name' }",
    );
  }
  for (const topic of graph.internalTopics.keys()) {
    if (!generatedTopic.test(topic)) continue;
    warnings.push(
      `Repartition topic '${topic}' has a generated name: adding an operator before it renames it, and what it holds ` +
        "is lost. Name the grouping, join or repartition: { name: 'name' }",
    );
  }
  return warnings;
}

const generatedStore = /STATE-STORE-\d{10}$/;
const generatedTopic = /-\d{10}-repartition$/;
