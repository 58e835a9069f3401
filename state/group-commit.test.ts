import { describe, expect, it } from 'vitest';
import { bytes, collect, text } from './conformance/engine-conformance.ts';
import type { Engine } from './engine.ts';
import { createGroupCommit } from './group-commit.ts';
import { createMemoryEngine } from './memory-engine.ts';

const all = { gte: bytes('a'), lt: bytes('z') };
const keysOf = async (engine: Engine) => (await collect(engine.range('state', all))).map((entry) => text(entry.key));

describe('group commit', () => {
  it('gives one batch to everybody who comes in the same turn, and the next to who comes meanwhile', async () => {
    const engine = createMemoryEngine();
    const group = createGroupCommit(engine);
    const order: string[] = [];
    const submit = (key: string) =>
      group.submit((writer) => {
        order.push(key);
        writer.put('state', bytes(key), bytes(key));
      });
    const firsts = [submit('a'), submit('b')];
    await Promise.resolve();
    await Promise.resolve();
    const seconds = [submit('c'), submit('d'), submit('e')];
    await Promise.all([...firsts, ...seconds]);
    expect(order).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await engine.stats()).toMatchObject({ batches: 2, puts: 5 });
  });

  it('has the write durable when it resolves', async () => {
    const engine = createMemoryEngine();
    await createGroupCommit(engine).submit((writer) => writer.put('state', bytes('a'), bytes('1')));
    expect(await keysOf(engine)).toEqual(['a']);
  });

  it('leaves nothing of a fill that throws, and rejects nobody else', async () => {
    const engine = createMemoryEngine();
    const group = createGroupCommit(engine);
    const good = group.submit((writer) => writer.put('state', bytes('a'), bytes('1')));
    const bad = group.submit((writer) => {
      writer.put('state', bytes('b'), bytes('1'));
      writer.deleteRange('state', bytes('a'), bytes('z'));
      throw new Error('half way');
    });
    const late = group.submit((writer) => writer.put('state', bytes('c'), bytes('1')));
    await expect(bad).rejects.toThrow('half way');
    await Promise.all([good, late]);
    expect(await keysOf(engine)).toEqual(['a', 'c']);
    expect((await engine.stats()).bytesWritten).toBe(4);
  });

  it('rejects every member of a batch that the engine fails to write, and goes on', async () => {
    const engine = createMemoryEngine();
    const group = createGroupCommit(engine);
    await engine[Symbol.asyncDispose]();
    const results = await Promise.allSettled([
      group.submit((writer) => writer.put('state', bytes('a'), bytes('1'))),
      group.submit((writer) => writer.put('state', bytes('b'), bytes('1'))),
    ]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    await expect(group.submit((writer) => writer.delete('state', bytes('a')))).rejects.toThrow(/closed/);
    await group.idle();
  });

  it('syncs the batch when one member wants it, and only then', async () => {
    const engine = createMemoryEngine();
    const group = createGroupCommit(engine);
    await group.submit((writer) => writer.put('state', bytes('a'), bytes('1')));
    expect((await engine.stats()).syncs).toBe(0);
    await Promise.all([
      group.submit((writer) => writer.put('state', bytes('b'), bytes('1'))),
      group.submit((writer) => writer.put('state', bytes('c'), bytes('1')), { sync: true }),
    ]);
    expect(await engine.stats()).toMatchObject({ syncs: 1, batches: 2 });
  });

  it('writes no empty batch, but syncs what was written before when asked', async () => {
    const engine = createMemoryEngine();
    const group = createGroupCommit(engine);
    await group.submit(() => undefined);
    expect(await engine.stats()).toMatchObject({ batches: 0, syncs: 0 });
    await group.submit(() => undefined, { sync: true });
    expect(await engine.stats()).toMatchObject({ batches: 0, syncs: 1 });
  });

  it('takes nobody more into a batch that has reached its bytes, and keeps the order', async () => {
    const engine = createMemoryEngine();
    const group = createGroupCommit(engine, { batchBytesMax: 10 });
    const done: string[] = [];
    await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map(async (key) => {
        await group.submit((writer) => writer.put('state', bytes(key), new Uint8Array(5)));
        done.push(key);
      }),
    );
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect((await engine.stats()).batches).toBe(3);
  });

  it('refuses operations that come after the fill has returned', async () => {
    const engine = createMemoryEngine();
    let late: (() => void) | undefined;
    await createGroupCommit(engine).submit((writer) => {
      late = () => writer.put('state', bytes('b'), bytes('1'));
    });
    expect(() => late?.()).toThrow(/already on its way/);
  });

  it('is idle when all that was submitted is settled, what came from a fill included', async () => {
    const engine = createMemoryEngine();
    const group = createGroupCommit(engine);
    await group.idle();
    void group.submit((writer) => {
      writer.put('state', bytes('a'), bytes('1'));
      void group.submit((next) => next.put('state', bytes('b'), bytes('1')));
    });
    await group.idle();
    expect(await keysOf(engine)).toEqual(['a', 'b']);
  });
});
