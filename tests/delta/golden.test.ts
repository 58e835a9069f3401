import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type DataType, DeltaTable, type Row, type Value } from '../../sinks/delta/index.ts';
import { formatExactJson, type Json, JsonDecimal, parseExactJson } from '../../sinks/delta/log/exact-json.ts';

/**
 * Tables that Apache Spark 4.0.1 with delta-spark 4.0.0 wrote (write-golden.py), and the rows that it read from them:
 * `expected.ndjson`, made with its own `to_json`. Bytes that we did not write.
 */
const golden = fileURLToPath(new URL('golden', import.meta.url));
const tables = readdirSync(golden, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const readable = tables.filter((name) => name !== 'variant');

test.each(readable)('%s has the rows that Spark read', async (name) => {
  await using table = await DeltaTable.open(join(golden, name));
  expect(await rowsOf(table)).toEqual(expectedLines(name, 'expected.ndjson'));
});

describe('a table that Spark wrote', () => {
  test('is refused where it needs variant', async () => {
    await expect(DeltaTable.open(join(golden, 'variant'))).rejects.toMatchObject({
      code: 'TABLE_UNSUPPORTED',
      facts: { features: 'variantType' },
    });
  });

  test('has checkpoints of the kinds that this is about', () => {
    const logOf = (name: string): string[] =>
      readdirSync(join(golden, name, '_delta_log'), { recursive: true }) as string[];
    expect(logOf('multi-part-checkpoint').join()).toMatch(/\.checkpoint\.0000000001\.000000000[2-9]\.parquet/);
    for (const format of ['json', 'parquet']) {
      const files = logOf(`v2-checkpoint-${format}`).join();
      expect(files).toMatch(new RegExp(`checkpoint\\.[0-9a-f-]{36}\\.${format}`));
      expect(files).toMatch(/_sidecars.[\w.-]+\.parquet/);
    }
  });

  test.each(['multi-part-checkpoint', 'v2-checkpoint-json', 'v2-checkpoint-parquet', 'deletion-vectors'])(
    '%s is the same from its checkpoint alone as from all its commits',
    async (name) => {
      await withCopy(name, async (folder) => {
        await using whole = await DeltaTable.open(folder);
        const log = join(folder, '_delta_log');
        const checkpoints = readdirSync(log).filter((file) => file.includes('.checkpoint.'));
        const last = Math.max(...checkpoints.map((file) => Number(file.slice(0, 20))));
        for (const file of readdirSync(log)) {
          if (file.endsWith('.json') && !file.includes('checkpoint') && Number(file.slice(0, 20)) < last)
            await rm(join(log, file));
        }
        await using fromCheckpoint = await DeltaTable.open(folder);
        expect(await rowsOf(fromCheckpoint)).toEqual(await rowsOf(whole));
        for (const file of checkpoints) await rm(join(log, file));
        await expect(DeltaTable.open(folder)).rejects.toMatchObject({ code: 'TABLE_CORRUPT' });
      });
    },
  );

  test('tells its changes', async () => {
    await using table = await DeltaTable.open(join(golden, 'change-data-feed'));
    const lines: string[] = [];
    for await (const rows of table.changes({ fromVersion: 0 })) {
      for (const { id, v, _change_type, _commit_version } of rows) {
        lines.push(canonical({ id, v, _change_type, _commit_version } as Json));
      }
    }
    expect(lines.toSorted()).toEqual(expectedLines('change-data-feed', 'expected-changes.ndjson'));
  });

  test('has times in its commits from where they were switched on', async () => {
    await using table = await DeltaTable.open(join(golden, 'in-commit-timestamps'));
    const [third, second] = await table.history();
    expect(third?.timestampMs).toBe(third?.commitInfo.inCommitTimestamp);
    expect(await table.count({ timestampMs: third!.timestampMs })).toBe(2);
    expect(await table.count({ timestampMs: second!.timestampMs })).toBe(1);
  });

  test('is written to where everything that it needs is known, and refused where not', async () => {
    await withCopy('deletion-vectors', async (folder) => {
      await using table = await DeltaTable.open(folder);
      const before = await table.count();
      await table.upsert(
        [
          { id: 2, name: 'ours' },
          { id: 5000, name: 'ours' },
        ],
        { key: ['id'] },
      );
      await table.delete([{ column: 'id', op: '=', value: 3n }]);
      expect(await table.count()).toBe(before);
      await table.optimize();
      expect(await table.count()).toBe(before);
    });
    await withCopy('constraints', async (folder) => {
      await using table = await DeltaTable.open(folder);
      await table.append([{ id: 2, quantity: 1 }]);
      await expect(table.append([{ id: 3, quantity: 0 }])).rejects.toMatchObject({ code: 'ROW_INVALID' });
      await expect(table.append([{ id: null, quantity: 1 }])).rejects.toMatchObject({ code: 'ROW_INVALID' });
    });
    for (const name of ['generated-columns', 'column-mapping-name', 'type-widening']) {
      await withCopy(name, async (folder) => {
        await using table = await DeltaTable.open(folder);
        await expect(table.append([{ id: 1 }])).rejects.toMatchObject({ code: 'TABLE_UNSUPPORTED' });
      });
    }
  });
});

async function withCopy(name: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-golden-'));
  try {
    await cp(join(golden, name), folder, { recursive: true });
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function expectedLines(name: string, file: string): string[] {
  const text = readFileSync(join(golden, name, file), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => canonical(parseExactJson(line)))
    .toSorted();
}

async function rowsOf(table: DeltaTable): Promise<string[]> {
  const lines: string[] = [];
  for await (const rows of table.read()) {
    for (const row of rows) lines.push(canonical(asSpark(row, { ...table.schema })));
  }
  return lines.toSorted();
}

/** A value as `to_json` of Spark writes it. */
function asSpark(value: Value, type: DataType): Json {
  if (value === null) return null;
  if (typeof type === 'object') {
    switch (type.type) {
      case 'struct':
        return Object.fromEntries(
          type.fields.map((field) => [field.name, asSpark((value as Row)[field.name]!, field.type)]),
        );
      case 'array':
        return (value as Value[]).map((each) => asSpark(each, type.elementType));
      case 'map':
        return Object.fromEntries(
          [...(value as Map<Value, Value>)].map(([key, each]) => [String(key), asSpark(each, type.valueType)]),
        );
    }
  }
  if (type.startsWith('decimal')) return new JsonDecimal(value as string);
  switch (type) {
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'timestamp':
    case 'timestamp_ntz': {
      const micros = value as bigint;
      const day = new Date(Number(micros / 1_000_000n - (micros % 1_000_000n < 0n ? 1n : 0n)) * 1000);
      const fraction = String(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0');
      return `${day.toISOString().slice(0, 19).replace('T', ' ')}.${fraction}`;
    }
    case 'float':
      return Number.isFinite(value) ? Number(Math.fround(value as number).toPrecision(8)) : floatText(value as number);
    case 'double':
      return Number.isFinite(value) ? (value as number) : floatText(value as number);
    default:
      return value as Json;
  }
}

function floatText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/**
 * One text for what is the same: 1.50 and 1.5, 1E100 and 1e100. Spark pads what it reads of a `char(5)` column; the file has what
 * was written.
 */
function canonical(json: Json): string {
  const plain = (value: Json): Json => {
    if (value instanceof JsonDecimal) return value.text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
    if (typeof value === 'string') return value.trimEnd();
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (Array.isArray(value)) return (value as readonly Json[]).map(plain);
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
    }
    return value;
  };
  return formatExactJson(plain(json));
}
