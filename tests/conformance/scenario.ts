/**
 * The file format of a scenario. A file that does not keep to it is refused with what was wanted and found: a typing error
 * in a scenario must not look like a missing operator, let alone like a pass.
 */
export interface Scenario {
  readonly id: string;
  readonly kind: 'run' | 'describe';
  readonly cacheBytes: number;
  readonly optimize: 'none' | 'all';
  readonly api: 'dsl' | 'processor';
  readonly program: readonly ProgramOp[];
  readonly steps: readonly Step[];
  readonly stores: Readonly<Record<string, ExpectedStore>>;
  readonly describe: string;
}

export interface ProgramOp {
  readonly op: string;
  readonly [field: string]: unknown;
}

export type Step = InputStep | AdvanceStep;

interface StepOutput {
  readonly out: Readonly<Record<string, readonly ScenarioRecord[]>>;
}

export interface InputStep extends StepOutput {
  readonly in: { readonly topic: string; readonly key: unknown; readonly value: unknown; readonly ts: number };
}

export interface AdvanceStep extends StepOutput {
  readonly advanceWallClockMs: number;
}

export interface ScenarioRecord {
  readonly key: unknown;
  readonly window?: readonly [number, number];
  readonly value: unknown;
  readonly ts: number;
}

export interface ExpectedStore {
  readonly type: 'kv' | 'window' | 'session' | 'versioned';
  readonly entries: readonly Readonly<Record<string, unknown>>[];
}

export class MalformedScenario extends Error {}

/** @throws MalformedScenario */
export function parseScenario(text: string): Scenario {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new MalformedScenario(`wants JSON: ${(cause as Error).message}`, { cause });
  }
  const file = object(json, 'the file');
  if (file['format'] !== 1) throw new MalformedScenario(`wants format 1, found ${show(file['format'])}`);
  const kind = oneOf(file['kind'], ['run', 'describe'] as const, 'kind');
  const config = object(file['config'], 'config');
  const steps = kind === 'run' ? array(file['steps'], 'steps').map(parseStep) : [];
  return {
    id: string(file['id'], 'id'),
    kind,
    cacheBytes: number(config['cacheBytes'], 'config.cacheBytes'),
    optimize: oneOf(config['optimize'], ['none', 'all'] as const, 'config.optimize'),
    api: file['api'] === undefined ? 'dsl' : oneOf(file['api'], ['processor'] as const, 'api'),
    program: array(file['program'], 'program').map((op, i) => {
      const fields = object(op, `program[${i}]`);
      return { ...fields, op: string(fields['op'], `program[${i}].op`) };
    }),
    steps,
    stores: parseStores(file['stores']),
    describe: array(file['describe'], 'describe')
      .map((line, i) => string(line, `describe[${i}]`))
      .join('\n'),
  };
}

function parseStep(json: unknown, i: number): Step {
  const step = object(json, `steps[${i}]`);
  const out = parseOutputs(step['out'], `steps[${i}].out`);
  if (step['advanceWallClockMs'] !== undefined) {
    return { advanceWallClockMs: number(step['advanceWallClockMs'], `steps[${i}].advanceWallClockMs`), out };
  }
  const input = object(step['in'], `steps[${i}].in`);
  for (const field of ['key', 'value']) {
    if (!(field in input)) throw new MalformedScenario(`steps[${i}].in wants a ${field}, found none`);
  }
  const topic = string(input['topic'], `steps[${i}].in.topic`);
  return { in: { topic, key: input['key'], value: input['value'], ts: number(input['ts'], `steps[${i}].in.ts`) }, out };
}

function parseOutputs(json: unknown, where: string): Record<string, ScenarioRecord[]> {
  const outputs: Record<string, ScenarioRecord[]> = {};
  for (const [name, records] of Object.entries(object(json, where))) {
    outputs[name] = array(records, `${where}.${name}`).map((record, i) =>
      parseRecord(record, `${where}.${name}[${i}]`),
    );
  }
  return outputs;
}

function parseRecord(json: unknown, where: string): ScenarioRecord {
  const record = object(json, where);
  const ts = number(record['ts'], `${where}.ts`);
  const parsed = { key: record['key'], value: record['value'], ts };
  if (record['window'] === undefined) return parsed;
  const [start, end] = array(record['window'], `${where}.window`);
  return { ...parsed, window: [number(start, `${where}.window[0]`), number(end, `${where}.window[1]`)] };
}

function parseStores(json: unknown): Record<string, ExpectedStore> {
  const stores: Record<string, ExpectedStore> = {};
  for (const [name, value] of Object.entries(json === undefined ? {} : object(json, 'stores'))) {
    const store = object(value, `stores.${name}`);
    stores[name] = {
      type: oneOf(store['type'], ['kv', 'window', 'session', 'versioned'] as const, `stores.${name}.type`),
      entries: array(store['entries'], `stores.${name}.entries`).map((entry) =>
        object(entry, `stores.${name}.entries`),
      ),
    };
  }
  return stores;
}

export function object(json: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wanted(where, 'an object', json);
  return json as Record<string, unknown>;
}

export function array(json: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(json)) throw wanted(where, 'a list', json);
  return json as unknown[];
}

export function string(json: unknown, where: string): string {
  if (typeof json !== 'string') throw wanted(where, 'a string', json);
  return json;
}

export function number(json: unknown, where: string): number {
  if (typeof json !== 'number') throw wanted(where, 'a number', json);
  return json;
}

export function oneOf<T extends string>(json: unknown, values: readonly T[], where: string): T {
  const found = values.find((value) => value === json);
  if (found === undefined) throw wanted(where, `one of ${values.join(', ')}`, json);
  return found;
}

function wanted(where: string, what: string, found: unknown): MalformedScenario {
  return new MalformedScenario(`${where} wants ${what}, found ${show(found)}`);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
