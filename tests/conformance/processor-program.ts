import { Stores, Topology } from '../../topology/index.ts';
import { compile, printed } from './expression.ts';
import { NotYet } from './not-yet.ts';
import { forwardAll } from './forward-all.ts';
import { array, MalformedScenario, string, type ProgramOp } from './scenario.ts';
import { scenarioSerde } from './scenario-serde.ts';

/** A program of the Processor API: nodes by name, each of which forwards what it gets. */
export function processorTopology(program: readonly ProgramOp[]): Topology {
  const topology = new Topology();
  for (const op of program) add(topology, op);
  return topology;
}

const serdes = { keySerde: scenarioSerde, valueSerde: scenarioSerde };

function add(topology: Topology, op: ProgramOp): void {
  switch (op.op) {
    case 'addSource':
      topology.addSource(string(op['name'], 'addSource.name'), sourceTopics(op), serdes);
      return;
    case 'addProcessor':
      topology.addProcessor(string(op['name'], 'addProcessor.name'), forwardAll, names(op, 'parents'));
      if (op['stores'] !== undefined)
        topology.connectProcessorAndStateStores(String(op['name']), ...names(op, 'stores'));
      return;
    case 'addStateStore':
      topology.addStateStore(
        Stores.keyValue(string(op['name'], 'addStateStore.name'), serdes),
        ...names(op, 'processors'),
      );
      return;
    case 'addSink':
      topology.addSink(string(op['name'], 'addSink.name'), sinkTopic(op), names(op, 'parents'), serdes);
      return;
    case 'addGlobalStore':
      throw new NotYet(op.op);
    default:
      throw new MalformedScenario(`the Processor API has no op '${op.op}'`);
  }
}

function sourceTopics(op: ProgramOp): string | string[] | RegExp {
  if (op['pattern'] !== undefined) return new RegExp(string(op['pattern'], 'addSource.pattern'));
  return op['topic'] === undefined ? names(op, 'topics') : string(op['topic'], 'addSource.topic');
}

function sinkTopic(op: ProgramOp) {
  if (op['topicFrom'] === undefined) return string(op['topic'], 'addSink.topic');
  const topic = compile(op['topicFrom']);
  return ({ key, value }: { readonly key: unknown; readonly value: unknown }) => printed(topic({ key, value }));
}

function names(op: ProgramOp, field: string): string[] {
  return array(op[field] ?? [], `${op.op}.${field}`).map((name) => string(name, `${op.op}.${field}`));
}
