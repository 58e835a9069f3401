import { join } from 'node:path';

/** Of 127.0.0.1. */
export interface NodePorts {
  /** Where clients come in. */
  readonly client: number;
  readonly controller: number;
  /** Where brokers talk to each other, when clients come in another way than they. */
  readonly own: number;
}

/** server.properties of one node of a KRaft cluster: each is broker and controller. Node ids begin at 1. */
export function nodeSettings(folder: string, id: number, nodes: readonly NodePorts[]): Record<string, string> {
  const { client, controller } = nodes[id - 1]!;
  const replicas = String(nodes.length);
  // One of three may be lost, and what was acknowledged is still there.
  const inSync = nodes.length > 1 ? '2' : '1';
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': nodes.map((node, at) => `${at + 1}@127.0.0.1:${node.controller}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${client}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    // What a test must not wait for, and must not get by surprise.
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.retention.check.interval.ms': '1000',
  };
}
