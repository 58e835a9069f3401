import { expect, it } from 'vitest';
import { int64Serde, jsonSerde, stringSerde, type Serde } from '../../schemas/index.ts';
import { StreamsBuilder } from '../dsl/streams-builder.ts';
import { TimeWindows } from '../dsl/time-windows.ts';
import { canonicalJson, compareFingerprints, fingerprint, type Fingerprint } from './fingerprint.ts';
import { resolvePartitions } from './partitions.ts';

interface Variant {
  readonly topic?: string;
  readonly store?: string;
  readonly valueSerde?: Serde<unknown>;
  readonly sizeMs?: number;
  readonly partitions?: number;
  readonly filtered?: boolean;
  readonly retentionMs?: number;
}

function variant({ topic = 'in', store = 'windows', valueSerde = stringSerde, ...rest }: Variant): Fingerprint {
  const { sizeMs = 10, partitions = 2, filtered = false, retentionMs = 100 } = rest;
  const builder = new StreamsBuilder();
  const source = builder.stream<string, string>(topic, { keySerde: stringSerde, valueSerde: stringSerde });
  const stream = filtered ? source.filter((_, value) => value !== '') : source;
  const grouped = stream.groupBy((_, value) => value, { name: 'by-value', keySerde: stringSerde });
  grouped.count({ store: 'counts' });
  grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(sizeMs)).aggregate<unknown>(
    () => '',
    (_, value) => value,
    { store: { name: store, valueSerde, retentionMs } },
  );
  const { graph } = builder.build();
  return fingerprint(graph, resolvePartitions(graph, new Map([[topic, partitions]])).internalTopics);
}

function changes(was: Variant, is: Variant): readonly string[] {
  return compareFingerprints(variant(was), variant(is));
}

it('stays equal when a stateless operator, a retention or the order of stores changes', () => {
  expect(changes({}, { filtered: true, retentionMs: 1000 })).toEqual([]);
  expect(canonicalJson(variant({ filtered: true }))).toBe(canonicalJson(variant({})));
});

it('comes back from JSON as it was', () => {
  expect(compareFingerprints(JSON.parse(canonicalJson(variant({}))) as Fingerprint, variant({}))).toEqual([]);
});

it('says which serde of which store changed', () => {
  expect(changes({}, { valueSerde: jsonSerde() })).toEqual(["store 'windows': value serde was 'string', is 'json'"]);
  expect(changes({ valueSerde: int64Serde }, {})).toEqual(["store 'windows': value serde was 'int64', is 'string'"]);
});

it('says that a window has another size, because a row then means something else', () => {
  expect(changes({}, { sizeMs: 20 })).toEqual(["store 'windows': window size (ms) was 10, is 20"]);
});

it('says that a repartition topic has other partitions, because keys then lie elsewhere', () => {
  expect(changes({}, { partitions: 4 })).toEqual(["repartition topic 'by-value-repartition': partitions was 2, is 4"]);
});

it('says that a store was renamed and where', () => {
  expect(changes({}, { store: 'other' })).toEqual([
    "store 'windows': was there, is gone",
    "store 'other': was not there, is new",
    'sub-topology 1: stores was [counts, windows], is [counts, other]',
  ]);
});

it('says that a sub-topology reads other topics', () => {
  expect(changes({}, { topic: 'elsewhere' })).toEqual(['sub-topology 0: source topics was [in], is [elsewhere]']);
});
