import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createGroupCommit,
  createMemoryEngine,
  openDataFolder,
  type Engine,
  type GroupCommit,
} from '../../state/index.ts';
import { temporaryFolders } from '../conformance/temporary-folder.ts';
import type { LogRecord } from '../log.ts';
import { openEmbeddedLog, type EmbeddedLog } from './index.ts';

/**
 * Random histories of one compacted partition against an array: index = offset, what stands there is the record or
 * nothing. After every step the whole log is read, from a random offset with random limits, and compared.
 */
const keys = ['a', 'b', 'c', 'd'];
const size = fc.integer({ min: 1, max: 6 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('produce' as const), count: size }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reserve' as const), count: size }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      units: fc.integer({ min: 1, max: 3 }),
      how: fc.constantFrom('written' as const, 'end only' as const, 'abandoned' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('clean' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
);
const reading = fc.record({
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  maxRecords: fc.integer({ min: 1, max: 9 }),
  maxBytes: fc.constantFrom(1, 30, 1000),
});
const history = fc.array(fc.tuple(step, reading), { minLength: 5, maxLength: 40 });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Reading = typeof reading extends fc.Arbitrary<infer T> ? T : never;

const at = { topic: 't', partition: 0 };
const newFolder = temporaryFolders();

describe('any history of appends, units, cleaning and reopening', () => {
  it('reads as the plain array does, in memory', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const engine = createMemoryEngine();
        await run(steps, async () => engine);
      }),
      { numRuns: 150 },
    );
  });

  it('reads as the plain array does, on RocksDB', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const folder = newFolder();
        await run(steps, async (previous) => {
          await previous?.[Symbol.asyncDispose]();
          return openDataFolder(folder);
        });
      }),
      { numRuns: 8 },
    );
  });
});

async function run(steps: readonly (readonly [Step, Reading])[], open: (previous?: Engine) => Promise<Engine>) {
  const machine = new Machine(await open(), open);
  await machine.open();
  for (const [command, how] of steps) {
    await machine.step(command);
    await machine.compare(how);
  }
  await machine.engine[Symbol.asyncDispose]();
}

class Machine {
  engine: Engine;
  readonly #reopen: (previous: Engine) => Promise<Engine>;
  #commits!: GroupCommit;
  #log!: EmbeddedLog;
  // The model.
  readonly #slots: (LogRecord | undefined)[] = [];
  #units: { base: number; count: number }[] = [];
  #logStart = 0;
  /** What must be the end at least after opening again: as of the last write. */
  #durableEnd = 0;
  #serial = 0;

  constructor(engine: Engine, reopen: (previous: Engine) => Promise<Engine>) {
    this.engine = engine;
    this.#reopen = reopen;
  }

  async open(): Promise<void> {
    this.#commits = createGroupCommit(this.engine);
    this.#log = await openEmbeddedLog({ engine: this.engine, commits: this.#commits, minDirtyRatio: 0 });
    await this.#log.createTopics([{ name: 't', partitions: 1, cleanup: 'compact' }]);
  }

  async step(command: Step): Promise<void> {
    switch (command.kind) {
      case 'produce': {
        const records = this.#records(command.count);
        const base = this.#slots.length;
        expect(await this.#log.produce(at, records)).toEqual({ baseOffset: base, duplicate: false });
        this.#slots.push(...records);
        this.#durableEnd = this.#slots.length;
        return;
      }
      case 'reserve': {
        const base = this.#log.reserve(at, command.count);
        expect(base).toBe(this.#slots.length);
        this.#slots.length += command.count;
        this.#units.push({ base, count: command.count });
        return;
      }
      case 'settle': {
        const units = this.#units.splice(0, command.units);
        if (command.how !== 'abandoned') await this.#write(units, command.how);
        const last = units.at(-1);
        if (last !== undefined) this.#log.settle(at, last.base + last.count);
        return;
      }
      case 'reopen': {
        const end = this.#log.endOffset(at);
        await this.#log[Symbol.asyncDispose]();
        this.engine = await this.#reopen(this.engine);
        await this.open();
        const found = this.#log.endOffset(at);
        expect(found).toBeGreaterThanOrEqual(this.#durableEnd);
        expect(found).toBeLessThanOrEqual(end);
        this.#units = [];
        this.#slots.length = found;
        return;
      }
      case 'clean':
        await this.#log.clean();
        this.#compact();
        return;
      case 'delete': {
        const offset = Math.floor(command.share * this.#stable());
        await this.#log.deleteRecords(at, offset);
        this.#logStart = Math.max(this.#logStart, offset);
        this.#durableEnd = this.#slots.length;
      }
    }
  }

  async #write(units: readonly { base: number; count: number }[], how: 'written' | 'end only'): Promise<void> {
    await this.#commits.submit((writer) => {
      for (const { base, count } of units) {
        if (how === 'end only') continue;
        const records = this.#records(count);
        this.#log.stage(writer, at, base, records);
        this.#slots.splice(base, count, ...records);
      }
      this.#log.stageEnd(writer, at);
    });
    this.#durableEnd = this.#slots.length;
  }

  #compact(): void {
    const seen = new Set<string>();
    for (let offset = this.#stable() - 1; offset >= this.#logStart; offset--) {
      const key = Buffer.from(this.#slots[offset]?.key ?? []).toString();
      if (key === '') continue;
      if (seen.has(key)) this.#slots[offset] = undefined;
      seen.add(key);
    }
  }

  async compare({ share, maxRecords, maxBytes }: Reading): Promise<void> {
    const stable = this.#stable();
    expect(this.#log.committedEnd(at)).toBe(stable);
    expect(this.#log.logStart(at)).toBe(this.#logStart);
    const from = this.#logStart + Math.floor(share * (stable - this.#logStart));
    const seen: string[] = [];
    let offset = from;
    while (offset < stable) {
      const { records, nextOffset } = await this.#log.read(at, offset, { maxRecords, maxBytes });
      expect(nextOffset).toBeGreaterThan(offset);
      if (records.length === 0) expect(nextOffset).toBe(stable);
      expect(records.length).toBeLessThanOrEqual(maxRecords);
      for (const record of records) seen.push(`${record.offset} ${show(record)}`);
      offset = nextOffset;
    }
    const wanted: string[] = [];
    for (let i = from; i < stable; i++) {
      const record = this.#slots[i];
      if (record !== undefined) wanted.push(`${i} ${show(record)}`);
    }
    expect(seen).toEqual(wanted);
  }

  #stable(): number {
    return this.#units[0]?.base ?? this.#slots.length;
  }

  #records(count: number): LogRecord[] {
    return Array.from({ length: count }, () => {
      const serial = this.#serial++;
      return { key: Buffer.from(keys[(serial * 7) % 4] as string), value: Buffer.from(`${serial}`), timestamp: serial };
    });
  }
}

function show({ key, value, timestamp }: LogRecord): string {
  return `${Buffer.from(key ?? []).toString()}=${Buffer.from(value ?? []).toString()} @${timestamp}`;
}
