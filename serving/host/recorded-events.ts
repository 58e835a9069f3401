import type { LogEvent, LogVersion } from '../../models/recompute/index.ts';
import { interactionSerde, productSerde, shopTopics } from '../../processors/index.ts';
import { MillraceError, stringSerde, type SchemaRegistry, type Serde } from '../../schemas/index.ts';
import type { HostRequests } from './host-requests.ts';
import type { SourceOffset } from './messages.ts';
import { unpackRecords } from './packed-records.ts';

export interface RecordedOptions {
  readonly registry: SchemaRegistry;
  readonly upTo: readonly SourceOffset[];
  /** Where the generation began that is recomputed; a partition that is not named: at the beginning. */
  readonly from?: readonly SourceOffset[];
}

/**
 * The events of a shop topic below the given offsets, partition by partition in log order: what the state at these
 * offsets is recomputed from. A value that cannot be decoded is null.
 */
export async function* recordedEvents(
  host: HostRequests,
  // `topic`: default `interactions`
  { registry, topic = shopTopics.interactions, ...range }: RecordedOptions & { readonly topic?: string },
): AsyncGenerator<LogEvent, void, undefined> {
  yield* recorded(host, topic, { ...range, serde: await interactionSerde(registry, topic) });
}

/** The versions of the catalogue below the offsets, as `recordedEvents`. */
export async function* recordedVersions(
  host: HostRequests,
  { registry, ...range }: RecordedOptions,
): AsyncGenerator<LogVersion, void, undefined> {
  const topic = shopTopics.productsHistory;
  yield* recorded(host, topic, { ...range, serde: await productSerde(registry, topic) });
}

interface Recorded {
  readonly partition: number;
  readonly key: string | null;
  readonly value: unknown;
}

async function* recorded<Value>(
  host: HostRequests,
  topic: string,
  { upTo, from, serde }: Omit<RecordedOptions, 'registry'> & { readonly serde: Serde<Value> },
): AsyncGenerator<Recorded, void, undefined> {
  for (const { topic: of, partition, offset: end } of upTo) {
    if (of !== topic) continue;
    const start = from?.find((other) => other.topic === of && other.partition === partition);
    for (let offset = start?.offset ?? 0; offset < end;) {
      const maxRecords = Math.min(2000, end - offset);
      const request = { kind: 'read', topic, partition, offset, maxRecords } as const;
      const { records: packed, nextOffset } = await host.request<'read'>(request);
      const records = unpackRecords(packed).get(partition) ?? [];
      await serde.prepare?.(records.flatMap(({ value }) => value ?? []));
      for (const { key, value } of records) {
        const text = key === null ? null : stringSerde.deserialize(key);
        yield { partition, key: text, value: value === null ? null : decode(serde, value) };
      }
      if (nextOffset > end) throw pastEnd({ topic, partition, end, nextOffset });
      if (nextOffset <= offset) break;
      offset = nextOffset;
    }
  }
}

function decode<Value>(serde: Serde<Value>, bytes: Uint8Array): Value | null {
  try {
    return serde.deserialize(bytes);
  } catch {
    return null; // Counted as invalid, as the topology's dead letter is.
  }
}

function pastEnd({ topic, partition, end, nextOffset }: ReadPlace): MillraceError {
  const message = `Reading '${topic}' ${partition} wants to end at offset ${end}, found records up to ${nextOffset}.`;
  return new MillraceError('INTERNAL', message, { topic, partition, offset: end, nextOffset });
}

interface ReadPlace {
  readonly topic: string;
  readonly partition: number;
  readonly end: number;
  readonly nextOffset: number;
}
