import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkScenario } from './check.ts';
import { compile } from './expression.ts';
import { NotYet } from './not-yet.ts';
import { interpret } from './program.ts';
import { scenarioFiles, shippedScenarios } from './run.ts';
import { parseScenario } from './scenario.ts';

/** Operators that later issues bring. When one is there, it leaves this list, and its scenarios have to pass. */
const notYet = [
  'KTable filter',
  'KTable groupBy',
  'KTable mapValues',
  'addGlobalStore',
  'cogroup',
  'emit on window close',
  'fkJoin',
  'globalTable',
  'hopping windows',
  'session windows',
  'sliding windows',
  'stream-stream join',
  'suppress',
  'table-table join',
  'toTable',
  'topology optimisation',
  'versioned store',
];

const files = scenarioFiles(shippedScenarios);
const missing = new Map(files.map((file) => [file, missingOperator(readFileSync(file, 'utf8'))]));

function missingOperator(text: string): string | undefined {
  try {
    interpret(parseScenario(text));
  } catch (error) {
    if (error instanceof NotYet) return error.message;
    throw error;
  }
  return undefined;
}

it('finds the shipped scenarios, of which only those with a missing operator are left out', () => {
  expect(files).toHaveLength(162);
  expect([...new Set(missing.values())].filter((operator) => operator !== undefined).toSorted()).toEqual(notYet);
  expect([...missing.values()].filter((operator) => operator === undefined).length).toBeGreaterThanOrEqual(20);
});

describe('we give the same as Kafka Streams for', () => {
  for (const file of files.filter((name) => missing.get(name) === undefined)) {
    it(path.basename(file, '.json'), async () => {
      const outcome = await checkScenario(readFileSync(file, 'utf8'));
      expect(outcome.kind === 'failed' ? outcome.reasons.join('\n') : outcome.kind).toBe('passed');
    });
  }
});

describe('the runner', () => {
  const original = readFileSync(path.join(shippedScenarios, 'grouped-reduce-store.json'), 'utf8');

  /** The scenario after a change of its text, which must be one. */
  async function changed(from: string, to: string): Promise<string> {
    expect(original).toContain(from);
    const outcome = await checkScenario(original.replace(from, to));
    return outcome.kind === 'failed' ? outcome.reasons.join('\n') : outcome.kind;
  }

  it('passes the scenario that the cases below change', async () => {
    expect(await checkScenario(original)).toEqual({ kind: 'passed' });
  });

  it('fails for another value, naming step, output, expected and actual', async () => {
    expect(await changed('"value": "A+C", "ts": 5}]', '"value": "A+X", "ts": 5}]')).toBe(
      'step 3 ({"topic":"topic","key":"1","value":"C","ts":3}), output \'captured\':\n' +
        '  expected [{"key":"1","value":"A+X","ts":5}]\n' +
        '  actual   [{"key":"1","value":"A+C","ts":5}]',
    );
  });

  it('fails for another time', async () => {
    expect(await changed('"value": "A+C", "ts": 5}]', '"value": "A+C", "ts": 3}]')).toContain('step 3');
  });

  it('fails for an output that is missing, and for one that nobody expects', async () => {
    const output = '"out": {"captured": [{"key": "2", "value": "B", "ts": 1}]}';
    expect(await changed(output, '"out": {}')).toContain('step 2');
    expect(
      await changed(
        '"ts": 1795341158687}, "out": {}',
        '"ts": 1}, "out": {"captured": [{"key": "3", "value": "x", "ts": 1}]}',
      ),
    ).toContain('step 7');
  });

  it('fails for another content of a store', async () => {
    expect(await changed('"value": "E+F", "ts": 9}]}\n  }', '"value": "E+F", "ts": 8}]}\n  }')).toContain(
      "store 'reduce'",
    );
  });

  it('fails for another line of the description', async () => {
    expect(await changed('      --> KTABLE-TOSTREAM-0000000002', '      --> none')).toContain('describe(), line 6');
  });

  it('fails for a malformed file, and does not take it for a missing operator', async () => {
    expect(await changed('"op": "reduce"', '"op": "reduec"')).toBe("malformed: the language has no op 'reduec'");
    expect(await changed('"format": 1', '"format": 2')).toBe('malformed: wants format 1, found 2');
    expect(await changed('"from": "g1"', '"from": "g9"')).toBe("malformed: wants a result named 'g9', found none");
    expect(await changed('"ts": 8}, "out"', '"ts": "8"}, "out"')).toBe(
      'malformed: steps[4].in.ts wants a number, found "8"',
    );
    expect(await changed('{\n', '')).toMatch(/^malformed: wants JSON/);
  });
});

describe('an expression', () => {
  const bindings = { key: 7, value: 'a:b', agg: null, left: { key: 'k', window: { startMs: 0, endMs: 10 } } };

  it.each([
    ['{key}', 7],
    ['{agg}', null],
    ['{key}-{value}-{agg}-{left}', '7-a:b-null-[k@0/10]'],
    [{ part: ['{value}', ':', 1] }, 'b'],
    [{ part: ['{value}', ':', 5] }, null],
    [{ eq: [{ mod: ['{key}', 3] }, 1] }, true],
    [{ if: [{ gt: ['{key}', 8] }, 'more', { concat: ['less ', '{key}'] }] }, 'less 7'],
    [{ not: { isNull: '{agg}' } }, false],
    [{ charOffset: ['c', 'a'] }, 2],
    [{ const: '{key}' }, '{key}'],
  ])('%j gives %j', (json, expected) => {
    expect(compile(json)(bindings)).toBe(expected);
  });
});
