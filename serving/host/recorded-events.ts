import type { LogEvent } from '../../models/recompute/index.ts';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { MillraceError, type Interaction, type SchemaRegistry, type Serde } from '../../schemas/index.ts';
import type { HostRequests } from './host-requests.ts';
import type { SourceOffset } from './messages.ts';
import { unpackRecords } from './packed-records.ts';

/**
 * The events of a shop topic below the given offsets, partition by partition in log order: what the state at these
 * offsets is recomputed from. A value that cannot be decoded is null.
 */
export async function* recordedEvents(
  host: HostRequests,
  options: {
    readonly registry: SchemaRegistry;
    readonly upTo: readonly SourceOffset[];
    /** Default `interactions`. */
    readonly topic?: string;
  },
): AsyncGenerator<LogEvent, void, undefined> {
  const topic = options.topic ?? shopTopics.interactions;
  const serde = await interactionSerde(options.registry, topic);
  for (const { topic: of, partition, offset: end } of options.upTo) {
    if (of !== topic) continue;
    for (let offset = 0; offset < end;) {
      const maxRecords = Math.min(2000, end - offset);
      const request = { kind: 'read', topic, partition, offset, maxRecords } as const;
      const { records, nextOffset } = await host.request<'read'>(request);
      const values = (unpackRecords(records).get(partition) ?? []).map(({ value }) => value);
      await serde.prepare?.(values.filter((value) => value !== null));
      for (const value of values) yield { partition, value: value === null ? null : decode(serde, value) };
      if (nextOffset > end) throw pastEnd({ topic, partition, end, nextOffset });
      if (nextOffset <= offset) break;
      offset = nextOffset;
    }
  }
}

function decode(serde: Serde<Interaction>, bytes: Uint8Array): Interaction | null {
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
