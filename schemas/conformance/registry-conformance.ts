import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { avroSerde } from '../avro-serde.ts';
import type { AvroSchema, Compatibility, SchemaRegistry } from '../registry.ts';

/**
 * The one suite of the registry port: every registry behind it passes the same cases.
 *
 * Written for a registry that others use as well: subjects and schemas are new in every case, and nothing is said about others' or
 * about which numbers ids are. Left to each registry are the words of its errors, whether it names the rule and field that a
 * schema breaks, which rule it tells for a subject that has none, and what many writers of one subject do to its version numbers.
 */
export function registryConformance(
  name: string,
  open: () => Promise<SchemaRegistry>,
  supports: RegistrySupports,
): void {
  describe(`${name} keeps the promises of the registry port`, () => {
    let registry: SchemaRegistry;
    let subject: string;
    /** A record whose name no other case has. */
    let order: (...fields: object[]) => AvroSchema;

    beforeEach(async () => {
      registry = await open();
      const unique = randomUUID().slice(0, 8);
      subject = `orders-${unique}-value`;
      order = (...fields) => ({ type: 'record', name: `Order_${unique}`, fields });
    });

    describe('ids and versions', () => {
      it('a schema is found by what its registration said of it', async () => {
        const first = await registry.register(subject, order(a));
        expect(first).toEqual({ id: expect.any(Number) as number, subject, version: 1, schema: order(a) });
        const second = await registry.register(subject, order(a, bWithDefault));
        expect(second).toMatchObject({ subject, version: 2, schema: order(a, bWithDefault) });
        expect(second.id).not.toBe(first.id);

        for (const instance of [registry, await open()]) {
          expect(await instance.versions(subject)).toEqual([first, second]);
          expect(await instance.latest(subject)).toEqual(second);
          expect(await instance.byId(first.id)).toEqual({ id: first.id, schema: first.schema });
          expect(await instance.byId(second.id)).toEqual({ id: second.id, schema: second.schema });
          expect(await instance.subjects()).toContain(subject);
        }
      });

      it('a schema that is registered already, also below the latest, is that version', async () => {
        const first = await registry.register(subject, order(a));
        await registry.register(subject, order(a, bWithDefault));
        for (const instance of [registry, await open()]) {
          expect(await instance.register(subject, order(a))).toEqual(first);
        }
        expect((await registry.versions(subject)).length).toBe(2);
      });

      it('the order of keys makes no other schema', async () => {
        const first = await registry.register(subject, order(a));
        const turned = Object.fromEntries(Object.entries(order({ type: 'int', name: 'a' })).reverse());
        for (const instance of [registry, await open()]) {
          expect(await instance.register(subject, turned)).toEqual(first);
        }
      });

      it('one schema under two subjects has one id, and versions of each', async () => {
        const other = subject.replace('orders', 'refunds');
        await registry.register(other, order());
        const first = await registry.register(subject, order(a));
        const second = await registry.register(other, order(aWithDefault));
        const third = await registry.register(other, order(a));
        expect([first.version, second.version, third.version]).toEqual([1, 2, 3]);
        expect(third.id).toBe(first.id);
        expect(second.id).not.toBe(first.id);
      });

      it('many that register at once get one id for each schema, and are found', async () => {
        const instances = await Promise.all(Array.from({ length: 4 }, open));
        const schemas = Array.from({ length: 4 }, (_, n) => order({ name: `f${n}`, type: 'int', default: n }));
        const registered = await Promise.all(
          instances.flatMap((instance) => schemas.map((schema, n) => instance.register(`${subject}-${n}`, schema))),
        );
        expect(new Set(registered.map(({ id }) => id)).size).toBe(schemas.length);
        for (const one of registered) expect(await registry.versions(one.subject)).toContainEqual(one);
      });

      it('what is not there is not found', async () => {
        expect(await registry.latest(subject)).toBeUndefined();
        expect(await registry.versions(subject)).toEqual([]);
        await expect(registry.byId(2_000_000_000)).rejects.toMatchObject({
          code: 'SCHEMA_NOT_FOUND',
          facts: { id: 2_000_000_000 },
        });
      });

      it('subjects may have any name, and capitals tell them apart', async () => {
        const names = ['Orders', 'orders', 'a b', 'a/b', 'café %41', 'a?b=c#d'].map((text) => `${text} ${subject}`);
        for (const text of names) expect(await registry.register(text, 'string')).toMatchObject({ version: 1 });
        expect(await registry.subjects()).toEqual(expect.arrayContaining(names));
        for (const text of names) expect((await registry.versions(text)).length).toBe(1);
        await expect(registry.register('', 'string')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      });
    });

    describe('schemas', () => {
      it('come back as they were: docs, defaults, aliases, logical types, what Avro does not know', async () => {
        const schema: AvroSchema = {
          ...(order(
            { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'When.' },
            { name: 'to', type: ['null', { type: 'map', values: 'string' }], default: null, aliases: ['towards'] },
            { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['new', 'old'] }, default: 'new' },
          ) as object),
          namespace: 'millrace.test',
          doc: 'An order.',
          millrace: { unit: 'piece' },
        };
        const { id } = await registry.register(subject, schema);
        for (const instance of [registry, await open()]) expect(await instance.byId(id)).toEqual({ id, schema });
      });

      it.each<[string, AvroSchema]>([
        ['a type without a name', 'string'],
        ['a union', ['null', 'long']],
        ['an array', { type: 'array', items: 'string' }],
      ])('may be %s', async (_, schema) => {
        const { id } = await registry.register(subject, schema);
        expect((await (await open()).byId(id)).schema).toEqual(schema);
      });

      it('that are not Avro are refused, and leave nothing behind', async () => {
        await expect(registry.register(subject, { type: 'record' })).rejects.toMatchObject({
          code: 'SCHEMA_INVALID',
          facts: { subject },
        });
        expect(await registry.subjects()).not.toContain(subject);
      });
    });

    describe('rules', () => {
      const cases: readonly RuleCase[] = [
        ['BACKWARD', [a], [a, b], 'breaks'],
        ['BACKWARD', [a], [], 'fits'],
        ['FORWARD', [a], [a, b], 'fits'],
        ['FORWARD', [a], [], 'breaks'],
        ['FULL', [a], [a, b], 'breaks'],
        ['FULL', [a], [], 'breaks'],
        ['FULL', [a], [a, bWithDefault], 'fits'],
      ];

      const none: RuleCase = ['NONE', [a], [aAsText], 'fits'];

      it.each(supports.noneForOneSubject ? [none, ...cases] : cases)(
        'under %s, fields %j then %j: %s',
        async (rule, before, after, verdict) => {
          await registry.register(subject, order(...before));
          await registry.setCompatibility(subject, rule);
          for (const instance of [registry, await open()]) expect(await instance.compatibility(subject)).toBe(rule);
          const registering = registry.register(subject, order(...after));
          if (verdict === 'fits') await expect(registering).resolves.toMatchObject({ version: 2 });
          else await expectBroken(registering);
        },
      );

      it('BACKWARD holds where none was set', async () => {
        await registry.register(subject, order(a));
        await expectBroken(registry.register(subject, order(a, b)));
        await registry.register(subject, order(a, bWithDefault));
      });

      it('a transitive rule looks at all versions, the others at the last one', async () => {
        await registry.register(subject, order(aWithDefault));
        await registry.register(subject, order());
        await registry.setCompatibility(subject, 'BACKWARD_TRANSITIVE');
        await expectBroken(registry.register(subject, order(aAsText)), 2);
        await registry.setCompatibility(subject, 'BACKWARD');
        await expect(registry.register(subject, order(aAsText))).resolves.toMatchObject({ version: 3 });
      });

      it('a version that is there already breaks no rule', async () => {
        const first = await registry.register(subject, order(a));
        await registry.register(subject, order());
        await registry.setCompatibility(subject, 'FULL_TRANSITIVE');
        expect(await registry.register(subject, order(a))).toEqual(first);
      });

      async function expectBroken(registering: Promise<unknown>, versions = 1): Promise<void> {
        await expect(registering).rejects.toMatchObject({
          code: 'SCHEMA_INCOMPATIBLE',
          message: expect.stringContaining(`'${subject}'`) as string,
          facts: { subject },
        });
        expect((await registry.versions(subject)).length).toBe(versions);
      }
    });

    it('records outlive their schema: the next version reads what the one before wrote', async () => {
      const before = await avroSerde<{ a: number }>(registry, { subject, schema: order(a) });
      const after = await avroSerde<{ a: number; b: number }>(await open(), {
        subject,
        schema: order(a, bWithDefault),
      });
      const payload = before.serialize({ a: 41 });
      await after.prepare!([payload]);
      expect(after.deserialize(payload)).toEqual({ a: 41, b: 7 });
    });
  });
}

export interface RegistrySupports {
  /** NONE lifts the rule that holds where none was set, rather than bringing it back. */
  readonly noneForOneSubject: boolean;
}

type RuleCase = readonly [rule: Compatibility, before: readonly object[], after: readonly object[], 'fits' | 'breaks'];

const a = { name: 'a', type: 'int' };
const aWithDefault = { ...a, default: 0 };
const aAsText = { name: 'a', type: 'string', default: '' };
const b = { name: 'b', type: 'int' };
const bWithDefault = { ...b, default: 7 };
