import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { avroSerde, confluentRegistry, type AvroSchema } from './index.ts';

/**
 * What a real registry says only when something is amiss (tests/kafka/registry.test.ts runs on a real one): a stand-in that
 * answers each request with the next of what the test has laid out for its path.
 */
let server: Server;
let url: string;
let asked: string[];
let answers: Record<string, (readonly [status: number, body: unknown])[]>;

beforeEach(async () => {
  asked = [];
  answers = {};
  server = createServer((request, response) => {
    const path = decodeURIComponent(`${request.method} ${request.url?.replace(/\?.*/, '')}`);
    asked.push(path);
    request.resume();
    const [status, body] = answers[path]?.shift() ?? [404, { error_code: 40401, message: 'not found' }];
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const subject = 'orders-value';
const order: AvroSchema = { type: 'record', name: 'Order', fields: [{ name: 'a', type: 'int' }] };
const version = { id: 12, subject, version: 3, schema: JSON.stringify(order) };
const lookUp = `POST /subjects/${subject}`;
const registration = `POST /subjects/${subject}/versions`;

describe('the Confluent registry', () => {
  it('loads its client when one is made, not with the library', () => {
    const { cache } = createRequire(import.meta.url);
    const loaded = () => Object.keys(cache).some((path) => path.includes('confluent-schema-registry'));
    expect(loaded()).toBe(false);
    confluentRegistry({ url });
    expect(loaded()).toBe(true);
  });

  it('what is registered already is found without being written', async () => {
    answers[lookUp] = [[200, version]];
    expect(await confluentRegistry({ url }).register(subject, order)).toEqual({ ...version, schema: order });
    expect(asked).toEqual([lookUp]);
  });

  it('ids and registrations are asked for once', async () => {
    answers[lookUp] = [[200, version]];
    answers['GET /schemas/ids/12'] = [[200, { schema: version.schema }]];
    const registry = confluentRegistry({ url });
    for (let n = 0; n < 3; n++) {
      expect(await registry.byId(12)).toEqual({ id: 12, schema: order });
      expect(await registry.register(subject, order)).toMatchObject({ id: 12 });
    }
    expect(asked.length).toBe(2);
  });

  it('a writer that another was faster than finds what that one registered', async () => {
    const missing = [404, { error_code: 40403, message: 'no such schema' }] as const;
    answers[lookUp] = [missing, [200, version]];
    answers[registration] = [[409, { error_code: 409, message: 'the subject is there already' }]];
    expect(await confluentRegistry({ url }).register(subject, order)).toMatchObject({ id: 12, version: 3 });
    expect(asked).toEqual([lookUp, registration, lookUp]);
  });

  it('a registry that takes schemas and never shows them is given up', async () => {
    answers[registration] = Array.from({ length: 9 }, () => [200, { id: 12 }] as const);
    await expect(confluentRegistry({ url }).register(subject, order)).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
    });
    expect(asked.length).toBe(6);
  });

  it('what the registry does not take for Avro is told with its words', async () => {
    answers[lookUp] = [[422, { error_code: 42201, message: 'Illegal initial character: 1a' }]];
    await expect(confluentRegistry({ url }).register(subject, order)).rejects.toMatchObject({
      code: 'SCHEMA_INVALID',
      message: `Schema for subject '${subject}': the registry at ${url} answered 422: Illegal initial character: 1a`,
    });
  });

  it('reads are tried again when the registry is not well', async () => {
    const unwell = [503, 'upstream is away'] as const;
    answers['GET /schemas/ids/12'] = [unwell, unwell, [200, { schema: '"string"' }]];
    expect(await confluentRegistry({ url }).byId(12)).toEqual({ id: 12, schema: 'string' });
    answers['GET /subjects'] = [unwell, unwell, unwell, unwell];
    await expect(confluentRegistry({ url }).subjects()).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      facts: { url, status: 503 },
    });
  });

  it('what is no registry is told from one', async () => {
    const page = [200, '<html>Welcome</html>'] as const;
    answers['GET /subjects'] = [page];
    answers[`GET /subjects/${subject}/versions`] = [page];
    const registry = confluentRegistry({ url });
    for (const call of [() => registry.subjects(), () => registry.versions(subject)]) {
      await expect(call()).rejects.toMatchObject({
        code: 'REGISTRY_FAILED',
        message: expect.stringContaining('no JSON') as string,
      });
    }
  });

  it('a rule it has no word for is not taken for another', async () => {
    answers[`GET /config/${subject}`] = [[200, { compatibilityLevel: 'SIDEWAYS' }]];
    await expect(confluentRegistry({ url }).compatibility(subject)).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining("'SIDEWAYS' is none of NONE, BACKWARD") as string,
    });
  });

  it("the registry's own rule is that of a subject it does not know", async () => {
    answers['GET /config'] = [[200, { compatibilityLevel: 'FULL' }]];
    expect(await confluentRegistry({ url }).compatibility(subject)).toBe('FULL');
  });

  it('versions that were deleted are left out', async () => {
    answers[`GET /subjects/${subject}/versions`] = [[200, [4, 3]]];
    answers[`GET /subjects/${subject}/versions/3`] = [[200, version]];
    expect(await confluentRegistry({ url }).versions(subject)).toEqual([{ ...version, schema: order }]);
  });

  it('a schema of another kind fails the records that carry it, not the batch', async () => {
    answers[lookUp] = [[200, version]];
    answers['GET /schemas/ids/7'] = [[200, { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' }]];
    const serde = await avroSerde<{ a: number }>(confluentRegistry({ url }), { subject, schema: order });
    const ours = serde.serialize({ a: 5 });
    const foreign = Buffer.from([0, 0, 0, 0, 7, 0]);
    await serde.prepare!([foreign, ours]);
    expect(serde.deserialize(ours)).toEqual({ a: 5 });
    expect(() => serde.deserialize(foreign)).toThrow(
      expect.objectContaining({
        code: 'DESERIALIZATION_FAILED',
        message: expect.stringContaining('wants AVRO, found PROTOBUF') as string,
      }),
    );
  });

  it.each(['127.0.0.1', 'localhost'])('nobody at %s is said so, by every kind of call', async (host) => {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const nobody = `http://${host}:${port}`;
    const registry = confluentRegistry({ url: nobody });
    const calls = [
      () => registry.register(subject, order),
      () => registry.byId(1),
      () => registry.versions(subject),
      () => registry.setCompatibility(subject, 'FULL'),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        code: 'REGISTRY_UNREACHABLE',
        message: expect.stringMatching(/ does not answer \((connect ECONNREFUSED.*|no connection)\)$/) as string,
        facts: { url: nobody },
      });
    }
  });

  it('one that takes a request and never answers is given up in time', async () => {
    server.removeAllListeners('request').on('request', (request) => request.resume());
    const registry = confluentRegistry({ url, requestTimeoutMs: 100 });
    for (const call of [() => registry.register(subject, order), () => registry.versions(subject)]) {
      const started = performance.now();
      await expect(call()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
      expect(performance.now() - started).toBeLessThan(10_000);
    }
  });

  it.each(['registry:8081', 'me:secret@registry:8081', ''])('%j is no address', (wrong) => {
    expect(() => confluentRegistry({ url: wrong })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.not.stringContaining('secret') as string,
      }),
    );
  });
});
