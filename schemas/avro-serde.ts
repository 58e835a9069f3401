/**
 * Avro in Confluent wire format: what every Kafka client with a schema registry reads and writes.
 *
 *     | 0x00 | schema id i32 BE | Avro binary |
 *
 * Writing is synchronous, because the schema was registered when the serde was made. Reading resolves the writer's
 * schema to ours, once per id: an id met for the first time is fetched by `prepare`, which a task awaits once a batch,
 * and after that is a map look-up.
 *
 * The hot path makes no copy. Records are encoded one behind the other into pages of 8 KiB, as Node's own buffer pool
 * does, and given out as views; a cache that keeps one record keeps its page. Decoding reads in place.
 *
 * Not checked while reading: that text inside a record is valid UTF-8. avsc decodes it leniently, and a second look at
 * each string would cost as much as the decoding; what Millrace itself writes has passed validation.
 */
import { type AvroType, parseAvro } from './avro-type.ts';
import { isMillraceError, MillraceError } from './errors.ts';
import type { AvroSchema, SchemaRegistry } from './registry.ts';
import type { Serde } from './serde.ts';

export interface AvroSerdeOptions {
  /** By TopicNameStrategy: `<topic>-key` or `<topic>-value`. */
  readonly subject: string;
  /** What values look like here; the reader's schema for whatever was written. */
  readonly schema: AvroSchema;
}

const headerBytes = 5;
const pageBytes = 8192;

/**
 * A serde for records of this schema; the type argument is the caller's promise that `T` is its TypeScript shape.
 *
 * Unions of different types are plain values (`null` or text); longs are numbers, from 2^53 - 1 on an error; logical types
 * are their underlying value. Decoded records are objects of an unnamed class: compare fields, not prototypes.
 *
 * @throws MillraceError `SCHEMA_INVALID`, `SCHEMA_INCOMPATIBLE` while registering; later `SERIALIZATION_FAILED`,
 * `DESERIALIZATION_FAILED`, and `SCHEMA_NOT_FOUND` for an id that was not prepared or that the registry doesn't know.
 */
export async function avroSerde<T>(registry: SchemaRegistry, options: AvroSerdeOptions): Promise<Serde<T>> {
  const type = parseAvro(options.schema, options.subject);
  const registered = await registry.register(options.subject, options.schema);
  return new AvroSerde<T>(registry, { subject: options.subject, type, id: registered.id });
}

/** How records of one writer become ours: nothing to do, a resolver, or why it can't be. */
type Reading = { readonly resolver: ReturnType<AvroType['createResolver']> | undefined } | { readonly refused: Error };

class AvroSerde<T> implements Serde<T> {
  readonly name: string;
  readonly #registry: SchemaRegistry;
  readonly #subject: string;
  readonly #type: AvroType;
  readonly #id: number;
  readonly #readings = new Map<number, Reading>();
  #page = Buffer.allocUnsafeSlow(pageBytes);
  #used = 0;

  constructor(
    registry: SchemaRegistry,
    own: { readonly subject: string; readonly type: AvroType; readonly id: number },
  ) {
    this.name = `avro:${own.subject}`;
    this.#registry = registry;
    this.#subject = own.subject;
    this.#type = own.type;
    this.#id = own.id;
    this.#readings.set(own.id, { resolver: undefined });
  }

  serialize(value: T): Uint8Array {
    try {
      const end = this.#encode(value);
      if (end >= 0) return this.#take(end);
      // A negative end is the number of bytes that were missing.
      const wanted = pageBytes - this.#used - end;
      if (wanted > pageBytes / 2) return this.#encodeAlone(value, wanted);
      this.#page = Buffer.allocUnsafeSlow(pageBytes);
      this.#used = 0;
      return this.#take(this.#encode(value));
    } catch (cause) {
      throw this.#unserializable(value, cause);
    }
  }

  #encode(value: T): number {
    if (pageBytes - this.#used < headerBytes) return this.#used - pageBytes - headerBytes;
    this.#writeHeader(this.#page, this.#used);
    return this.#type.encode(value, this.#page, this.#used + headerBytes);
  }

  #take(end: number): Uint8Array {
    const bytes = this.#page.subarray(this.#used, end);
    this.#used = end;
    return bytes;
  }

  #encodeAlone(value: T, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#writeHeader(bytes, 0);
    this.#type.encode(value, bytes, headerBytes);
    return bytes;
  }

  #writeHeader(buffer: Buffer, at: number): void {
    buffer[at] = 0;
    buffer[at + 1] = this.#id >>> 24;
    buffer[at + 2] = this.#id >>> 16;
    buffer[at + 3] = this.#id >>> 8;
    buffer[at + 4] = this.#id;
  }

  deserialize(bytes: Uint8Array): T {
    const id = this.#idOf(bytes);
    const reading = this.#readings.get(id);
    if (reading === undefined) {
      throw new MillraceError(
        'SCHEMA_NOT_FOUND',
        `Serde '${this.name}' has no schema with id ${id}: it was not prepared, or the registry doesn't know it`,
        { subject: this.#subject, id },
      );
    }
    if ('refused' in reading)
      throw this.#undecodable(`cannot read schema ${id}: ${reading.refused.message}`, reading.refused);
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let decoded: { readonly value: unknown; readonly offset: number };
    try {
      decoded = this.#type.decode(buffer, headerBytes, reading.resolver);
    } catch (cause) {
      throw this.#undecodable((cause as Error).message, cause);
    }
    if (decoded.offset !== buffer.length) {
      const end = decoded.offset < 0 ? 'beyond the end' : `at byte ${decoded.offset}`;
      throw this.#undecodable(`the record of schema ${id} ends ${end} of ${buffer.length}`);
    }
    return decoded.value as T;
  }

  /** Fetches the schemas of writers not met before. An id the registry doesn't know fails its own records only. */
  async prepare(payloads: readonly Uint8Array[]): Promise<void> {
    const unknown = new Set<number>();
    for (const bytes of payloads) {
      if (bytes.length < headerBytes || bytes[0] !== 0) continue;
      const id = readId(bytes);
      if (!this.#readings.has(id)) unknown.add(id);
    }
    for (const id of unknown) await this.#fetch(id);
  }

  async #fetch(id: number): Promise<void> {
    let schema: AvroSchema;
    try {
      schema = (await this.#registry.byId(id)).schema;
    } catch (error) {
      if (isMillraceError(error, 'SCHEMA_NOT_FOUND')) return;
      if (!isMillraceError(error, 'SCHEMA_INVALID')) throw error;
      this.#readings.set(id, { refused: error });
      return;
    }
    this.#readings.set(id, this.#readingOf(schema, id));
  }

  #readingOf(schema: AvroSchema, id: number): Reading {
    try {
      return { resolver: this.#type.createResolver(parseAvro(schema, `id ${id}`)) };
    } catch (error) {
      return { refused: error as Error };
    }
  }

  #idOf(bytes: Uint8Array): number {
    if (bytes.length < headerBytes || bytes[0] !== 0) {
      const found = bytes.length === 0 ? 'no bytes' : `${bytes.length} bytes that begin with ${bytes[0]}`;
      throw this.#undecodable(`wants 0x00 and a schema id, found ${found}`);
    }
    return readId(bytes);
  }

  #undecodable(why: string, cause?: unknown): MillraceError {
    return new MillraceError(
      'DESERIALIZATION_FAILED',
      `Serde '${this.name}': ${why}`,
      { subject: this.#subject },
      cause === undefined ? {} : { cause },
    );
  }

  #unserializable(value: T, cause: unknown): MillraceError {
    let field = '';
    this.#type.isValid(value, {
      errorHook: (path, found, type) => {
        if (field === '')
          field = `field '${path.join('.')}' wants ${type.name ?? type.typeName}, found ${typeof found}`;
      },
    });
    const why = field === '' ? (cause as Error).message : field;
    return new MillraceError(
      'SERIALIZATION_FAILED',
      `Serde '${this.name}': ${why}`,
      { subject: this.#subject },
      { cause },
    );
  }
}

function readId(bytes: Uint8Array): number {
  return (bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!;
}
