import { MillraceError, type Serde } from '../../schemas/index.ts';
import { HyperLogLog } from '../hll/hyper-log-log.ts';

/** Rows of the store `product-users`: the sketch of a product's users. The layout stands in hyper-log-log.ts. */
export const hyperLogLogSerde: Serde<HyperLogLog> = {
  name: 'hyper-log-log',
  serialize: (sketch) => sketch.encode(),
  deserialize(bytes) {
    const sketch = HyperLogLog.decode(bytes);
    if (sketch !== undefined) return sketch;
    throw new MillraceError(
      'DESERIALIZATION_FAILED',
      `A sketch wants 1 + 3n bytes (sparse) or 4097 (dense), found ${bytes.length} of form ${bytes[0] ?? 'none'}`,
      { found: bytes.length },
    );
  },
  sizeOf: (sketch) => sketch.byteSize,
};
