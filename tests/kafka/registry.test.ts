import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SchemaRegistry as ForeignRegistry } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registryConformance } from '../../schemas/conformance/registry-conformance.ts';
import {
  avroSerde,
  confluentRegistry,
  interactionSchema,
  type AvroSchema,
  type Interaction,
  type Serde,
} from '../../schemas/index.ts';
import { startRegistry, type SchemaRegistryServer } from '../../scripts/registry/registry.ts';
import { describeWithKafka } from './real-kafka.ts';

describeWithKafka('on a real schema registry', () => {
  let server: SchemaRegistryServer;
  let subject: string;
  beforeAll(async () => {
    server = await startRegistry();
  }, 300_000);
  afterAll(() => server?.[Symbol.asyncDispose]());
  beforeEach(() => {
    subject = `interactions-${randomUUID().slice(0, 8)}-value`;
  });
  const open = () => confluentRegistry({ url: server.url });

  // Apicurio 2 takes a subject's NONE for no rule of its own.
  registryConformance('the Confluent registry', async () => open(), { noneForOneSubject: false });

  it('a schema that breaks a rule is told with the words of the registry', async () => {
    const order = (...fields: object[]): AvroSchema => ({ type: 'record', name: 'Order', fields });
    await open().register(subject, order());
    await expect(open().register(subject, order({ name: 'b', type: 'int' }))).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
      message: expect.stringMatching(
        new RegExp(`^Schema for subject '${subject}': the registry at ${server.url} answered 409: .*b at /fields/0`),
      ) as string,
      facts: { subject, status: 409, url: server.url },
    });
  });

  it('an address below which no registry is fails the registration', async () => {
    const elsewhere = confluentRegistry({ url: new URL('/elsewhere', server.url).href });
    await expect(elsewhere.register(subject, 'string')).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      facts: { status: 404 },
    });
  });

  describe('behind a name and a password', () => {
    const login = { username: 'millrace', password: 'p:ä ss' };
    let guard: Guard;
    beforeAll(async () => {
      guard = await guarded(server.url, login);
    });
    afterAll(() => guard[Symbol.asyncDispose]());

    it('every call brings them, also when they stand in the url', async () => {
      const inUrl = new URL(guard.url);
      Object.assign(inUrl, login);
      for (const options of [{ url: guard.url, auth: login }, { url: inUrl.href }]) {
        const registry = confluentRegistry(options);
        const registered = await registry.register(subject, 'string');
        await registry.setCompatibility(subject, 'FULL');
        expect(await registry.compatibility(subject)).toBe('FULL');
        expect(await registry.versions(subject)).toEqual([registered]);
        expect(await registry.latest(subject)).toEqual(registered);
        expect(await registry.byId(registered.id)).toMatchObject({ schema: 'string' });
        expect(await registry.subjects()).toContain(subject);
      }
    });

    it('wrong ones are one clear error, without the password', async () => {
      for (const auth of [undefined, { ...login, password: 'guessed' }]) {
        const registry = confluentRegistry({ url: guard.url, ...(auth && { auth }) });
        const calls = [
          () => registry.register(subject, 'string'),
          () => registry.versions(subject),
          () => registry.byId(1),
        ];
        for (const call of calls) {
          await expect(call()).rejects.toMatchObject({
            code: 'REGISTRY_FAILED',
            message: expect.stringMatching(/refused the user name or password \(401: (?!.*guessed)/) as string,
          });
        }
      }
    });
  });

  describe('other clients', () => {
    let serde: Serde<Interaction>;
    beforeEach(async () => {
      serde = await avroSerde<Interaction>(open(), { subject, schema: interactionSchema });
    });

    it('of Node read what we write, and we what they write', async () => {
      const foreign = new ForeignRegistry({ host: server.url });
      for (const value of interactions) {
        expect({ ...(await foreign.decode(Buffer.from(serde.serialize(value)))) }).toEqual(value);
      }
      const id = await foreign.getLatestSchemaId(subject);
      for (const value of interactions) expect(serde.deserialize(await foreign.encode(id, value))).toEqual(value);
    });

    it('of Node read a later version as ours, once it is prepared', async () => {
      const foreign = new ForeignRegistry({ host: server.url });
      await open().setCompatibility(subject, 'BACKWARD');
      const { id } = await foreign.register(laterSchema, { subject });
      const payload = await foreign.encode(id, { ...interactions[0], channel: 'shop' });
      await serde.prepare!([payload]);
      expect(serde.deserialize(payload)).toEqual(interactions[0]);
    });

    it('of Java read what we write, and we what they write', async () => {
      const hex = interactions.map((value) => Buffer.from(serde.serialize(value)).toString('hex'));
      const read = await avroPeer(server, 'read', server.url, ...hex);
      expect(
        read
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual(interactions.map(avroJson));

      const records = interactions.map((value) => JSON.stringify({ ...avroJson(value), channel: 'shop' }));
      const written = await avroPeer(server, 'write', server.url, subject, JSON.stringify(laterSchema), ...records);
      const payloads = written.split('\n').map((line) => Buffer.from(line, 'hex'));
      await serde.prepare!(payloads);
      expect(payloads.map((payload) => serde.deserialize(payload))).toEqual(interactions);
      expect((await open().versions(subject)).map(({ version }) => version)).toEqual([1, 2]);
    }, 120_000);
  });
});

const interactions: readonly Interaction[] = [
  {
    ...{ eventId: 'e-1', userId: 'u-1', sessionId: null, productId: 'p-1', type: 'purchase', quantity: 3 },
    ...{ price: 25_500, currency: 'GBP', timestamp: 1_700_000_000_000, title: 'Lampe à l’huile 🪔', service: false },
  },
  {
    ...{ eventId: 'e-2', userId: null, sessionId: 's-1', productId: 'p-2', type: 'view', quantity: 1_000_000_000 },
    ...{ price: Number.MAX_SAFE_INTEGER - 1, currency: null, timestamp: 0, title: null, service: true },
  },
];

/** What another team's producer has meanwhile: one field more. */
const { fields, ...record } = interactionSchema as { readonly name: string; readonly type: 'record'; fields: object[] };
const laterSchema = { ...record, fields: [...fields, { name: 'channel', type: 'string', default: 'web' }] };

/** Avro's JSON encoding names the branch of a union. */
function avroJson(value: Interaction): Record<string, unknown> {
  const branch = (text: string | null) => (text === null ? null : { string: text });
  const { userId, sessionId, currency, title } = value;
  return {
    ...value,
    ...{ userId: branch(userId), sessionId: branch(sessionId), currency: branch(currency), title: branch(title) },
  };
}

async function avroPeer({ classpath }: SchemaRegistryServer, ...args: string[]): Promise<string> {
  const source = fileURLToPath(new URL('AvroPeer.java', import.meta.url));
  return (await promisify(execFile)('java', ['-cp', classpath, source, ...args])).stdout.trimEnd();
}

interface Guard extends AsyncDisposable {
  readonly url: string;
}

/** The registry has no users of its own; as in most installations, what stands before it has. */
async function guarded(url: string, login: { username: string; password: string }): Promise<Guard> {
  const wanted = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const guard = createServer((incoming, outgoing) => {
    if (incoming.headers.authorization !== wanted) {
      incoming.resume();
      outgoing.writeHead(401).end('{"error_code":401,"message":"Unauthorized"}');
      return;
    }
    const { method, headers } = incoming;
    const forwarded = request(new URL(incoming.url ?? '/', url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => guard.listen(0, '127.0.0.1', resolve));
  const { port } = guard.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${new URL(url).pathname}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => guard.close(() => resolve())),
  };
}
