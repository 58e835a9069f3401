import type { ProcessorContext, ProcessorSupplier } from '../../topology/index.ts';

/** A processor that hands on what it gets. */
export const forwardAll: ProcessorSupplier<unknown, unknown> = {
  get() {
    let context: ProcessorContext | undefined;
    return {
      init: (given) => void (context = given),
      process: (record) => context!.forward(record),
    };
  },
};
