import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import type { PairStep } from './pair-step.ts';
import { relationCode, relations } from './relation.ts';
import type { StepPair } from './session-step.ts';

/**
 *     | flags u8 | item | pairs u8 | { item | forward · 2 + count | back } × pairs |
 *
 *     flags: bits 0-1 relation code · 2 first; texts: varint length and UTF-8; numbers: varint
 */
export const pairStepSerde: Serde<PairStep> = {
  name: 'pair-step',
  serialize({ relation, item, first, pairs }) {
    writer
      .begin()
      .byte(relationCode(relation) | (first ? isFirst : 0))
      .text(item)
      .byte(pairs.length);
    for (const pair of pairs) {
      writer
        .text(pair.item)
        .varint(pair.forward * 2 + pair.count)
        .varint(pair.back);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('pair-step', bytes);
    const flags = reader.byte();
    const item = reader.text();
    const pairs: StepPair[] = [];
    for (let left = reader.byte(); left > 0; left -= 1) {
      const other = reader.text();
      const forwardAndCount = reader.varint();
      pairs.push({ item: other, forward: forwardAndCount >>> 1, back: reader.varint(), count: forwardAndCount & 1 });
    }
    reader.end();
    return { relation: relations[flags & 3]!, item, first: (flags & isFirst) !== 0, pairs };
  },
};

const isFirst = 4;
const writer = new ByteWriter();
