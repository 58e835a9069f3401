import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { avroSerde } from './avro-serde.ts';
import { openEmbeddedRegistry } from './embedded-registry.ts';
import { type Interaction, interactionSchema, interactionTypes } from './interaction.ts';
import type { AvroSchema, SchemaRegistry } from './registry.ts';

interface Vectors {
  readonly same: readonly { readonly value: Interaction; readonly hex: string }[];
  readonly older: { readonly schema: AvroSchema; readonly hex: string; readonly readAs: Interaction };
}

/** avsc leaves out the last safe integer. */
const longMax = Number.MAX_SAFE_INTEGER - 1;

const subject = 'interactions-value';
let folder: string;
let registry: SchemaRegistry;
let vectors: Vectors;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-avro-'));
  registry = await openEmbeddedRegistry(folder);
  vectors = JSON.parse(
    await readFile(new URL('./testdata/interaction-fastavro.json', import.meta.url), 'utf8'),
  ) as Vectors;
});
afterEach(() => rm(folder, { recursive: true }));

const interactionSerde = () => avroSerde<Interaction>(registry, { subject, schema: interactionSchema });
const framed = (id: number, hex: string) => {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, Buffer.from(hex, 'hex')]);
};

describe('an Avro serde', () => {
  it('writes and reads the bytes another Avro implementation wrote', async () => {
    const serde = await interactionSerde();
    const id = (await registry.latest(subject))!.id;
    for (const { value, hex } of vectors.same) {
      expect(Buffer.from(serde.serialize(value))).toEqual(framed(id, hex));
      expect(serde.deserialize(framed(id, hex))).toEqual(value);
    }
    expect(vectors.same.length).toBe(5);
  });

  it('reads what an older schema wrote, once prepared: defaults filled, types widened, foreign fields skipped', async () => {
    const older = await registry.register(subject, vectors.older.schema);
    const serde = await interactionSerde();
    const payload = framed(older.id, vectors.older.hex);
    expect(() => serde.deserialize(payload)).toThrow(expect.objectContaining({ code: 'SCHEMA_NOT_FOUND' }));
    await serde.prepare!([payload, payload, Buffer.alloc(2)]);
    expect(serde.deserialize(payload)).toEqual(vectors.older.readAs);
  });

  it('gives back any interaction, from a view into a larger page too', async () => {
    const serde = await interactionSerde();
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
    const interactions: fc.Arbitrary<Interaction> = fc.record({
      eventId: text,
      userId: fc.option(text),
      sessionId: fc.option(text),
      productId: text,
      type: fc.constantFrom(...interactionTypes),
      quantity: fc.integer({ min: 1, max: 1e9 }),
      price: fc.integer({ min: 0, max: longMax }),
      currency: fc.option(fc.constant('GBP')),
      timestamp: fc.integer({ min: 0, max: longMax }),
      title: fc.option(fc.string({ maxLength: 4096 })),
      service: fc.boolean(),
    });
    const written: { value: Interaction; bytes: Uint8Array }[] = [];
    fc.assert(fc.property(interactions, (value) => void written.push({ value, bytes: serde.serialize(value) })));
    for (const { value, bytes } of written) {
      const page = Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from('xyz')]);
      expect(serde.deserialize(new Uint8Array(page).subarray(3, 3 + bytes.length))).toEqual(value);
    }
  });

  it('writes records larger than a page, and goes on with the page', async () => {
    const serde = await interactionSerde();
    const value = vectors.same[1]!.value;
    for (const length of [10, 3000, 8000, 8192, 20_000, 10]) {
      const long = { ...value, title: 'x'.repeat(length) };
      expect(serde.deserialize(serde.serialize(long))).toEqual(long);
    }
  });

  it('names the field that cannot be written', async () => {
    const serde = await interactionSerde();
    const value = vectors.same[0]!.value;
    for (const [field, change] of [
      ['quantity', { quantity: 1.5 }],
      ['price', { price: 2 ** 60 }],
      ['type', { type: 'look' }],
      ['productId', { productId: undefined }],
    ] as const) {
      expect(() => serde.serialize({ ...value, ...change } as Interaction)).toThrow(
        expect.objectContaining({ code: 'SERIALIZATION_FAILED', message: expect.stringContaining(`'${field}'`) }),
      );
    }
    expect(serde.deserialize(serde.serialize(value))).toEqual(value);
  });

  it('refuses bytes that are torn at any place, have a tail, another magic byte or an enum symbol too many', async () => {
    const serde = await interactionSerde();
    const whole = Buffer.from(serde.serialize(vectors.same[1]!.value));
    const failure = expect.objectContaining({ code: 'DESERIALIZATION_FAILED' });
    for (let length = 0; length < whole.length; length++) {
      expect(() => serde.deserialize(whole.subarray(0, length)), `torn at ${length}`).toThrow(failure);
    }
    expect(() => serde.deserialize(Buffer.concat([whole, Buffer.from([0])]))).toThrow(failure);
    expect(() => serde.deserialize(Buffer.concat([Buffer.from([1]), whole.subarray(1)]))).toThrow(failure);
    const type = framed(1, '046531020475310004703150020000000000');
    expect(() => serde.deserialize(type)).toThrow(failure);
  });

  it('refuses a long that a JavaScript number cannot hold', async () => {
    const serde = await avroSerde<{ n: number }>(registry, {
      subject: 'n-value',
      schema: { type: 'record', name: 'N', fields: [{ name: 'n', type: 'long' }] },
    });
    const id = (await registry.latest('n-value'))!.id;
    expect(serde.deserialize(framed(id, 'fcffffffffffff1f'))).toEqual({ n: longMax });
    expect(() => serde.deserialize(framed(id, 'feffffffffffffffff01'))).toThrow(
      expect.objectContaining({ code: 'DESERIALIZATION_FAILED' }),
    );
  });

  it('knows no id the registry does not know, and tells a schema it cannot read', async () => {
    const serde = await interactionSerde();
    const strange = await registry.register('other-value', { type: 'record', name: 'Other', fields: [] });
    const payloads = [framed(99, ''), framed(strange.id, '')];
    await serde.prepare!(payloads);
    expect(() => serde.deserialize(payloads[0]!)).toThrow(expect.objectContaining({ code: 'SCHEMA_NOT_FOUND' }));
    expect(() => serde.deserialize(payloads[1]!)).toThrow(expect.objectContaining({ code: 'DESERIALIZATION_FAILED' }));
  });
});
