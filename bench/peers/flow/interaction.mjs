import avro from 'avsc';

/**
 * Values of the topic `interactions`: Avro in Confluent's wire format, `| 0 u8 | schema id u32 | Avro |`, with the schema that the
 * registry has for the topic.
 */
export async function interactionCodec(registryUrl, topic) {
  const answer = await fetch(`${registryUrl}/subjects/${topic}-value/versions/latest`);
  if (!answer.ok) throw new Error(`The registry has no schema of '${topic}': ${answer.status}`);
  const { id, schema } = await answer.json();
  const type = avro.Type.forSchema(JSON.parse(schema));
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return {
    encode: (event) => Buffer.concat([header, type.toBuffer(event)]),
    decode: (bytes) => {
      if (bytes.readUInt32BE(1) !== id) throw new Error(`Wants schema ${id}, found ${bytes.readUInt32BE(1)}`);
      return type.fromBuffer(bytes.subarray(5));
    },
  };
}

/** The checks of numbers that cleansing repeats; all others are done where an event comes in. */
export function isValid({ quantity, price, timestamp, userId, sessionId }) {
  return (
    quantity >= 1 &&
    quantity <= 1_000_000_000 &&
    price >= 0 &&
    timestamp >= 0 &&
    Number.isSafeInteger(quantity * price) &&
    (userId !== null || sessionId !== null)
  );
}

/** What makes two events the same one. */
export function identityOf({ eventId, userId, sessionId }) {
  const from = sessionId === null ? `u:${userId}` : `s:${sessionId.length}:${sessionId}${userId ?? ''}`;
  return `${eventId.length}:${eventId}${from}`;
}
