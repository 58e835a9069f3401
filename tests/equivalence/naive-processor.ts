import type { StateStore } from '../../state/store.ts';
import type { ProcessorNode } from '../../topology/graph/graph.ts';
import type { AnyRecord } from '../../topology/graph/operator.ts';
import type { Processor, ProcessorContext, ProcessorSupplier, PunctuationType } from '../../topology/processor.ts';
import type { NaiveTask } from './naive-interpreter.ts';

export interface NaiveProcessor {
  process(record: AnyRecord): void;
}

/**
 * A supplier whose processors await their stores gives the interpreter the same processor without waits: depth first
 * means that a forward has run to its end when it returns, which no await can promise.
 */
export interface SynchronousSupplier extends ProcessorSupplier {
  getSynchronous(): Processor<never, never>;
}

export function startProcessor(task: NaiveTask, node: ProcessorNode, supplier: ProcessorSupplier): NaiveProcessor {
  const made = 'getSynchronous' in supplier ? (supplier as SynchronousSupplier).getSynchronous() : supplier.get();
  const processor = made as Processor<unknown, unknown>;
  processor.init?.(contextOf(task, node));
  return {
    process(record) {
      if (processor.process(record) instanceof Promise) throw new Error(`processor ${node.name} must not wait here`);
    },
  };
}

function contextOf(task: NaiveTask, node: ProcessorNode): ProcessorContext {
  return {
    applicationId: task.interpreter.applicationId,
    taskId: task.id,
    partition: task.partition,
    forward: (record, childName) => task.forward(node, record, childName),
    getStateStore<S extends StateStore>(name: string): S {
      const store = task.keyValueStores.get(name);
      if (store === undefined || !node.stores.includes(name)) throw new Error(`${node.name} has no store ${name}`);
      // The caller names the kind of store it gets, as the contract has it.
      return store as StateStore as S;
    },
    schedule(intervalMs: number, type: PunctuationType, punctuator: (timestampMs: number) => void) {
      const schedule =
        type === 'streamTime'
          ? task.streamTimePunctuations.schedule(0, intervalMs, punctuator)
          : task.wallClockPunctuations.schedule(task.interpreter.wallClockMs + intervalMs, intervalMs, punctuator);
      return {
        cancel() {
          schedule.cancelled = true;
        },
      };
    },
    currentStreamTimeMs: () => task.streamTimeMs,
    currentSystemTimeMs: () => task.interpreter.wallClockMs,
    recordMetadata: () => task.metadata,
  };
}
