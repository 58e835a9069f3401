import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Stores, Topology } from '../../topology/index.ts';
import { describeDifferences } from './describe-check.ts';
import { forwardAll } from './forward-all.ts';
import { scenarioFiles, shippedScenarios } from './run.ts';
import { parseScenario } from './scenario.ts';

/**
 * Every shipped description is rebuilt from what it says (nodes, topics, stores, parents) and printed again. So the order in
 * which neighbours, nodes, stores and topics are printed is held against all descriptions, also those whose operators do not
 * exist yet. Global stores are left out: there are none yet.
 */
interface Described {
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
  readonly parents: readonly string[];
}

function parse(description: string): Described[] {
  const nodes = description.split(/\n(?= {4}(?:Source|Processor|Sink): )/).slice(1);
  return nodes.map((text) => {
    const [, kind, name, detail] = /^ {4}(\w+): (\S+) \((.*)\)$/m.exec(text)!;
    const parents = /^ {6}<-- (.*)$/m.exec(text)?.[1]?.split(', ') ?? [];
    return { kind: kind!, name: name!, detail: detail!, parents };
  });
}

/** `inOrder` sorts stores and topics by name before they are added, so that the order printed is not the order given. */
function rebuild(nodes: readonly Described[], inOrder: (names: readonly string[]) => string[]): Topology {
  const topology = new Topology();
  const added = new Set<string>();
  const stores = new Set<string>();
  const waiting = [...nodes];
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ parents }) => parents.every((parent) => added.has(parent)));
    const [node] = waiting.splice(next, 1);
    add(topology, node!, stores, inOrder);
    added.add(node!.name);
  }
  return topology;
}

function add(
  topology: Topology,
  { kind, name, detail, parents }: Described,
  stores: Set<string>,
  inOrder: (names: readonly string[]) => string[],
): void {
  const printed = /\[(.*)\]/.exec(detail)?.[1] ?? '';
  const list = inOrder(printed === '' ? [] : printed.split(', '));
  if (kind === 'Source') {
    topology.addSource(name, detail.includes('[') ? list : new RegExp(detail.replace('topics: ', '')));
  } else if (kind === 'Sink') {
    topology.addSink(name, detail.startsWith('topic: ') ? detail.slice('topic: '.length) : () => '', parents);
  } else {
    topology.addProcessor(name, forwardAll, parents);
    for (const store of list) {
      if (!stores.has(store)) topology.addStateStore(Stores.keyValue(store));
      stores.add(store);
      topology.connectProcessorAndStateStores(name, store);
    }
  }
}

it('prints nodes, neighbours, stores and topics in Kafka Streams’ order for every shipped description', () => {
  const scenarios = scenarioFiles(shippedScenarios).map((file) => parseScenario(readFileSync(file, 'utf8')));
  const local = scenarios.filter(({ describe }) => !describe.includes('for global store'));
  expect(local.length).toBeGreaterThan(140);
  // Strings that fall into one bucket come in the order of adding, which a description does not tell: both are tried.
  const orders = [
    (names: readonly string[]) => names.toSorted(),
    (names: readonly string[]) => names.toSorted().toReversed(),
  ];
  const differences = local.flatMap(({ id, describe }) => {
    const tried = orders.map((order) => describeDifferences(describe, rebuild(parse(describe), order).describe()));
    return tried.some((found) => found.length === 0) ? [] : tried[0]!.map((difference) => `${id}: ${difference}`);
  });
  expect(differences).toEqual([]);
});
