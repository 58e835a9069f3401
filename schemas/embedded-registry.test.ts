import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registryConformance } from './conformance/registry-conformance.ts';
import { openEmbeddedRegistry } from './embedded-registry.ts';
import type { AvroSchema, Compatibility, SchemaRegistry } from './registry.ts';

let folder: string;
let registry: SchemaRegistry;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-registry-'));
  registry = await openEmbeddedRegistry(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const order = (...fields: object[]): AvroSchema => ({ type: 'record', name: 'Order', fields });
const a = { name: 'a', type: 'int' };
const b = { name: 'b', type: 'int' };
const bWithDefault = { ...b, default: 0 };

registryConformance('the embedded registry', () => openEmbeddedRegistry(folder), { noneForOneSubject: true });

describe('the embedded registry', () => {
  it('keeps ids, versions and rules when it is opened again', async () => {
    const first = await registry.register('orders-value', order(a));
    const second = await registry.register('orders-value', order(a, bWithDefault));
    await registry.setCompatibility('orders-value', 'FULL');
    expect([first.id, first.version, second.id, second.version]).toEqual([1, 1, 2, 2]);

    const again = await openEmbeddedRegistry(folder);
    expect(await again.versions('orders-value')).toEqual([first, second]);
    expect(await again.latest('orders-value')).toEqual(second);
    expect(await again.byId(1)).toEqual({ id: 1, schema: order(a) });
    expect(await again.subjects()).toEqual(['orders-value']);
    expect(await again.compatibility('orders-value')).toBe('FULL');
    expect(await again.register('orders-value', order(a))).toEqual(first);
  });

  it('takes any subject name, and tells capitals apart', async () => {
    const names = ['Orders', 'orders', '..', '.x', 'a/b', 'caf\u00e9 %41', 'CON', '*'];
    for (const name of names) await registry.register(name, 'string');
    expect(await registry.subjects()).toEqual([...names].sort());
    expect(await readdir(join(folder, 'schemas'))).toEqual(['ids', 'subjects']);
  });

  it('tells BACKWARD for a subject without a rule', async () => {
    expect(await registry.compatibility('none')).toBe('BACKWARD');
  });

  it.each<[Compatibility, AvroSchema, AvroSchema, string]>([
    ['BACKWARD', order(a), order(a, b), 'b'],
    ['FORWARD', order(a), order(), 'a'],
    ['FULL', order(a), order(a, b), 'b'],
    ['FULL', order(a), order(), 'a'],
  ])('under %s, %j then %j names field %s', async (rule, before, after, field) => {
    await registry.register('orders-value', before);
    await registry.setCompatibility('orders-value', rule);
    await expect(registry.register('orders-value', after)).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
      facts: { subject: 'orders-value', rule, field, version: 1 },
    });
  });

  it('names the version that a schema breaks under a transitive rule', async () => {
    const text = (type: string) => order({ name: 'a', type, default: type === 'string' ? '' : 0 });
    await registry.register('orders-value', text('int'));
    await registry.register('orders-value', order());
    await registry.setCompatibility('orders-value', 'BACKWARD_TRANSITIVE');
    await expect(registry.register('orders-value', text('string'))).rejects.toMatchObject({
      facts: { field: 'a', version: 1 },
    });
  });

  it('gives every schema one id when many instances register at once', async () => {
    const instances = await Promise.all(Array.from({ length: 8 }, () => openEmbeddedRegistry(folder)));
    const schemas = Array.from({ length: 12 }, (_, n) => order({ name: `f${n % 6}`, type: 'int', default: n % 6 }));
    const registered = await Promise.all(
      instances.flatMap((instance, i) => schemas.map((schema, n) => instance.register(`s${(n + i) % 3}`, schema))),
    );
    expect(new Set(registered.map(({ id }) => id))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    for (const { id, subject, version, schema } of registered) {
      expect((await registry.versions(subject))[version - 1]).toEqual({ id, subject, version, schema });
    }
    const names = await readdir(join(folder, 'schemas', 'ids'));
    expect(names.sort()).toEqual(['1.json', '2.json', '3.json', '4.json', '5.json', '6.json']);
  });

  it('says which file is damaged', async () => {
    await registry.register('orders-value', order(a));
    const path = join(folder, 'schemas', 'ids', '1.json');
    await writeFile(path, '{ "id": 1');
    const again = await openEmbeddedRegistry(folder);
    await expect(again.latest('orders-value')).rejects.toMatchObject({ code: 'DATA_FOLDER_CORRUPT', facts: { path } });
  });
});
