import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMillraceError } from '../../schemas/errors.ts';
import type { ColumnFamily, Engine, Entry, KeyRange } from '../engine.ts';
import { WriteBatchBuilder } from '../write-batch.ts';

/** What every engine promises. `create` gives an empty one. */
export function engineConformance(name: string, create: () => Promise<Engine>): void {
  describe(`engine conformance: ${name}`, () => {
    let engine: Engine;
    beforeEach(async () => {
      engine = await create();
    });
    afterEach(() => engine[Symbol.asyncDispose]());

    const write = (fill: (batch: WriteBatchBuilder) => void, sync = false) => {
      const batch = new WriteBatchBuilder();
      fill(batch);
      return engine.write(batch, { sync });
    };
    const get = async (family: ColumnFamily, ...keys: string[]) =>
      (await engine.getMany(family, keys.map(bytes))).map((value) => value && text(value));
    const putAll = (...keys: string[]) =>
      write((batch) => keys.forEach((key) => batch.put('state', bytes(key), bytes(`${key}!`))));
    const keysOf = async (range: KeyRange) =>
      (await collect(engine.range('state', range))).map((entry) => text(entry.key));

    it('answers a batched read at the place of each key, undefined for absent ones', async () => {
      await putAll('a', 'c');
      expect(await get('state', 'c', 'b', 'a', 'c')).toEqual(['c!', undefined, 'a!', 'c!']);
      expect(await get('state')).toEqual([]);
    });

    it('tells an empty value from none', async () => {
      await write((batch) => batch.put('state', bytes('a'), new Uint8Array(0)));
      expect(await get('state', 'a', 'b')).toEqual(['', undefined]);
    });

    it('reads thousands of keys in one call', async () => {
      const keys = Array.from({ length: 5000 }, (_, i) => `k${i}`);
      await putAll(...keys);
      expect(await get('state', ...keys)).toEqual(keys.map((key) => `${key}!`));
    });

    it('keeps column families apart within one batch', async () => {
      await write((batch) => {
        batch.put('log', bytes('a'), bytes('log'));
        batch.put('state', bytes('a'), bytes('state'));
        batch.put('meta', bytes('a'), bytes('meta'));
        batch.put('meta', bytes('b'), bytes('meta'));
        batch.delete('meta', bytes('b'));
        batch.put('log', bytes('b'), bytes('log'));
      });
      expect(await get('log', 'a', 'b')).toEqual(['log', 'log']);
      expect(await get('state', 'a', 'b')).toEqual(['state', undefined]);
      expect(await get('meta', 'a', 'b')).toEqual(['meta', undefined]);
    });

    it('applies the operations of a batch in order', async () => {
      await putAll('a', 'b', 'c');
      await write((batch) => {
        batch.put('state', bytes('a'), bytes('1'));
        batch.put('state', bytes('a'), bytes('2'));
        batch.deleteRange('state', bytes('b'), bytes('d'));
        batch.put('state', bytes('c'), bytes('3'));
        batch.put('state', bytes('d'), bytes('4'));
        batch.delete('state', bytes('d'));
      });
      expect(await get('state', 'a', 'b', 'c', 'd')).toEqual(['2', undefined, '3', undefined]);
    });

    it('deletes the range with its lower and without its upper bound', async () => {
      await putAll('a', 'b', 'bb', 'c', 'd');
      await write((batch) => batch.deleteRange('state', bytes('b'), bytes('d')));
      expect(await keysOf({ gte: bytes('a'), lt: bytes('z') })).toEqual(['a', 'd']);
    });

    it('takes a range delete whose bounds are swapped or equal for nothing to do', async () => {
      await putAll('a', 'b');
      await write((batch) => {
        batch.deleteRange('state', bytes('z'), bytes('a'));
        batch.deleteRange('state', bytes('a'), bytes('a'));
        batch.put('state', bytes('c'), bytes('c'));
      });
      expect(await keysOf({ gte: bytes('a'), lt: bytes('z') })).toEqual(['a', 'b', 'c']);
    });

    it('gives [gte, lt) in unsigned byte order, both ways, up to the limit', async () => {
      const keys = [[], [0], [0, 0], [0, 255], [1], [127], [128], [128, 0], [255], [255, 255]].map((key) =>
        Uint8Array.from(key),
      );
      await write((batch) => [...keys].reverse().forEach((key) => batch.put('state', key, key)));
      const read = async (range: KeyRange) => (await collect(engine.range('state', range))).map(({ key }) => [...key]);
      const all = { gte: new Uint8Array(0), lt: new Uint8Array(8).fill(255) };
      expect(await read(all)).toEqual(keys.map((key) => [...key]));
      expect(await read({ ...all, reverse: true })).toEqual(keys.map((key) => [...key]).reverse());
      const some = { gte: Uint8Array.of(0, 0), lt: Uint8Array.of(128, 0) };
      expect(await read(some)).toEqual([[0, 0], [0, 255], [1], [127], [128]]);
      expect(await read({ ...some, limit: 2 })).toEqual([
        [0, 0],
        [0, 255],
      ]);
      expect(await read({ ...some, limit: 2, reverse: true })).toEqual([[128], [127]]);
      expect(await read({ ...some, limit: 0 })).toEqual([]);
      expect(await read({ gte: some.lt, lt: some.gte })).toEqual([]);
      expect(await read({ gte: some.gte, lt: some.gte })).toEqual([]);
    });

    it('gives long ranges whole, in chunks of many', async () => {
      const keys = Array.from({ length: 3000 }, (_, i) => `k${String(i).padStart(5, '0')}`);
      await putAll(...keys);
      expect(await keysOf({ gte: bytes('k'), lt: bytes('l') })).toEqual(keys);
      expect(await keysOf({ gte: bytes('k'), lt: bytes('l'), reverse: true, limit: 1500 })).toEqual(
        [...keys].reverse().slice(0, 1500),
      );
      let chunks = 0;
      for await (const chunk of engine.range('state', { gte: bytes('k'), lt: bytes('l') })) if (chunk.length) chunks++;
      expect(chunks).toBeLessThan(300);
    });

    it('lets a range be left half read', async () => {
      await putAll(...Array.from({ length: 2000 }, (_, i) => `k${i}`));
      for await (const chunk of engine.range('state', { gte: bytes('k'), lt: bytes('l') })) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    });

    it('reads a range as it was when reading began', async () => {
      const keys = Array.from({ length: 2000 }, (_, i) => `k${String(i).padStart(5, '0')}`);
      await putAll(...keys);
      const seen: string[] = [];
      for await (const chunk of engine.range('state', { gte: bytes('k'), lt: bytes('l') })) {
        if (seen.length === 0) await write((batch) => batch.deleteRange('state', bytes('k'), bytes('l')));
        seen.push(...chunk.map((entry) => text(entry.key)));
      }
      expect(seen).toEqual(keys);
      expect(await keysOf({ gte: bytes('k'), lt: bytes('l') })).toEqual([]);
    });

    it('freezes a snapshot across all families', async () => {
      await write((batch) => {
        batch.put('state', bytes('a'), bytes('old'));
        batch.put('meta', bytes('a'), bytes('old'));
      });
      const snapshot = engine.snapshot();
      await write((batch) => {
        batch.put('state', bytes('a'), bytes('new'));
        batch.put('state', bytes('b'), bytes('new'));
        batch.delete('meta', bytes('a'));
      });
      const [state] = await snapshot.getMany('state', [bytes('a')]);
      const [meta, absent] = await snapshot.getMany('meta', [bytes('a'), bytes('b')]);
      expect([state && text(state), meta && text(meta), absent]).toEqual(['old', 'old', undefined]);
      const entries = await collect(snapshot.range('state', { gte: bytes('a'), lt: bytes('z') }));
      expect(entries.map((entry) => text(entry.value))).toEqual(['old']);
      await snapshot[Symbol.asyncDispose]();
      expect(await get('state', 'a', 'b')).toEqual(['new', 'new']);
    });

    it('refuses a second batch while one is in flight', async () => {
      const first = putAll('a');
      await expect(putAll('b')).rejects.toSatisfy((error) => isMillraceError(error, 'INTERNAL'));
      await first;
      await putAll('c');
      expect(await get('state', 'a', 'b', 'c')).toEqual(['a!', undefined, 'c!']);
    });

    it('counts what it does', async () => {
      await write((batch) => {
        batch.put('state', bytes('abc'), bytes('defg'));
        batch.delete('log', bytes('x'));
      }, true);
      await get('state', 'abc', 'x');
      expect(await engine.stats()).toMatchObject({
        gets: 2,
        puts: 1,
        deletes: 1,
        batches: 1,
        bytesWritten: 8,
        syncs: 1,
      });
    });

    it('keeps everything over a flush', async () => {
      await putAll('a', 'b');
      await engine.flush();
      await putAll('c');
      expect(await keysOf({ gte: bytes('a'), lt: bytes('z') })).toEqual(['a', 'b', 'c']);
    });

    it('refuses to work once closed, and closes twice without complaint', async () => {
      await putAll('a');
      await engine[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      const closed = (error: unknown) => isMillraceError(error, 'STORE_CLOSED');
      await expect(get('state', 'a')).rejects.toSatisfy(closed);
      await expect(putAll('a')).rejects.toSatisfy(closed);
      expect(() => engine.range('state', { gte: bytes('a'), lt: bytes('b') })).toThrow(/closed/);
    });
  });
}

export async function collect(range: AsyncIterable<readonly Entry[]>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const chunk of range) entries.push(...chunk);
  return entries;
}

export function bytes(of: string): Uint8Array {
  return Buffer.from(of);
}

export function text(of: Uint8Array): string {
  return Buffer.from(of.buffer, of.byteOffset, of.byteLength).toString();
}
