import type { SinkNode } from '../graph/graph.ts';
import type { Failures } from './failures.ts';
import type { ExecutableNode } from './node.ts';
import type { Outbox } from './outbox.ts';
import type { StreamRecord } from './stream-record.ts';

/** A sink: what reaches it goes to the outbox; what cannot be sent goes to the production handler. */
export function sinkNode(
  node: SinkNode,
  fullName: (topic: string) => string,
  outbox: Outbox,
  failures: Failures,
): ExecutableNode {
  const fixed = typeof node.topic === 'string' ? fullName(node.topic) : undefined;
  return {
    name: node.name,
    process(record: StreamRecord) {
      try {
        outbox.send(node, fixed ?? (node.topic as (record: StreamRecord) => string)(record), record);
      } catch (error) {
        failures.production(node.name, record.origin, error);
      }
    },
  };
}
