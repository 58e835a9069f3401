import { isDeepStrictEqual } from 'node:util';
import { isMillraceError, type Serde } from '../../schemas/index.ts';
import type { KeyValueStore, ValueAndTimestamp, WindowStore } from '../../state/index.ts';
import type { SinkNode, Topology } from '../../topology/index.ts';
import { TopologyTestDriver, type TestOutputTopic } from '../../topology/test-driver.ts';
import { describeDifferences } from './describe-check.ts';
import { isWindowed } from './expression.ts';
import { NotYet } from './not-yet.ts';
import { interpret, type Capture, type Program } from './program.ts';
import { MalformedScenario, parseScenario, type ExpectedStore, type Scenario, type Step } from './scenario.ts';
import { scenarioSerde } from './scenario-serde.ts';

export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly reasons: readonly string[] }
  | { readonly kind: 'notYet'; readonly operator: string };

/** Runs one file and compares everything it states. Never throws: whatever goes wrong is a reason of the outcome. */
export async function checkScenario(text: string): Promise<Outcome> {
  try {
    const scenario = parseScenario(text);
    const program = interpret(scenario);
    const reasons = describeDifferences(scenario.describe, program.topology.describe());
    if (scenario.kind === 'run') reasons.push(...(await run(scenario, program)));
    return reasons.length === 0 ? { kind: 'passed' } : { kind: 'failed', reasons };
  } catch (error) {
    if (error instanceof NotYet) return { kind: 'notYet', operator: error.message };
    if (error instanceof MalformedScenario) return { kind: 'failed', reasons: [`malformed: ${error.message}`] };
    return { kind: 'failed', reasons: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
  }
}

async function run(scenario: Scenario, program: Program): Promise<string[]> {
  const driver = await TopologyTestDriver.create(program.topology, {
    cacheMaxBytes: scenario.cacheBytes,
    extraTopics: topicsOf(scenario, program),
  });
  try {
    const outputs = outputsOf(scenario, program, driver);
    const reasons: string[] = [];
    for (const [i, step] of scenario.steps.entries()) {
      await take(driver, step);
      reasons.push(...(await compareOutputs(outputs, step, i)));
    }
    for (const [name, store] of Object.entries(scenario.stores)) {
      reasons.push(...(await compareStore(driver, name, store)));
    }
    return reasons;
  } finally {
    await driver.close();
  }
}

async function take(driver: TopologyTestDriver, step: Step): Promise<void> {
  if ('advanceWallClockMs' in step) {
    await driver.advanceWallClock(step.advanceWallClockMs);
    return;
  }
  const { topic, key, value, ts } = step.in;
  await driver.createInputTopic(topic, scenarioSerde, scenarioSerde).pipeInput(key, value, ts);
}

/** What arrived under a name since it was last asked. */
type Output = () => Promise<readonly { readonly key: unknown; readonly value: unknown; readonly timestamp: number }[]>;

function outputsOf(scenario: Scenario, program: Program, driver: TopologyTestDriver): ReadonlyMap<string, Output> {
  const outputs = new Map<string, Output>();
  for (const capture of program.captures) outputs.set(capture.name, () => Promise.resolve(takeCaptured(capture)));
  for (const topic of sinkTopics(scenario, program)) {
    const { keySerde, valueSerde } = sinkOf(program.topology, topic);
    outputs.set(topic, readerOf(driver, topic, keySerde, valueSerde));
  }
  return outputs;
}

function takeCaptured(capture: Capture) {
  return capture.records.splice(0);
}

function readerOf(
  driver: TopologyTestDriver,
  topic: string,
  keySerde: Serde<unknown>,
  valueSerde: Serde<unknown>,
): Output {
  const output: TestOutputTopic<unknown, unknown> = driver.createOutputTopic(topic, keySerde, valueSerde);
  return async () => {
    try {
      return await output.readRecords();
    } catch (error) {
      if (isMillraceError(error, 'TOPIC_NOT_FOUND')) return [];
      throw error;
    }
  };
}

/** Topics that sinks write: those that they name, and every other output that a scenario expects. */
function sinkTopics(scenario: Scenario, { topology, captures }: Program): ReadonlySet<string> {
  const named = sinks(topology).flatMap(({ topic }) => (typeof topic === 'string' ? [topic] : []));
  const expected = scenario.steps.flatMap(({ out }) => Object.keys(out));
  const captured = new Set(captures.map(({ name }) => name));
  const internal = topology.graph.internalTopics;
  return new Set([...named, ...expected].filter((name) => !captured.has(name) && !internal.has(name)));
}

function sinkOf(topology: Topology, topic: string): SinkNode {
  const all = sinks(topology);
  const found = all.find((sink) => sink.topic === topic) ?? all.find((sink) => typeof sink.topic !== 'string');
  if (found === undefined) throw new MalformedScenario(`an output '${topic}' wants a sink or a capture, found none`);
  return found;
}

function sinks(topology: Topology): SinkNode[] {
  return [...topology.graph.nodes.values()].filter((node) => node.kind === 'sink');
}

/** Inputs may be chosen by a pattern, and outputs by a record: the driver must know them before. */
function topicsOf(scenario: Scenario, program: Program): string[] {
  const inputs = scenario.steps.flatMap((step) => ('in' in step ? [step.in.topic] : []));
  return [...new Set([...inputs, ...sinkTopics(scenario, program)])];
}

async function compareOutputs(outputs: ReadonlyMap<string, Output>, step: Step, i: number): Promise<string[]> {
  const reasons: string[] = [];
  for (const [name, take] of outputs) {
    const expected = step.out[name] ?? [];
    const actual = (await take()).map(({ key, value, timestamp }) => ({
      ...keyed(key),
      value: value ?? null,
      ts: timestamp,
    }));
    if (isDeepStrictEqual(ordered(expected), ordered(actual))) continue;
    const input = 'in' in step ? JSON.stringify(step.in) : `wall clock + ${step.advanceWallClockMs} ms`;
    reasons.push(difference(`step ${i + 1} (${input}), output '${name}'`, expected, actual));
  }
  return reasons;
}

function keyed(key: unknown): { readonly key: unknown; readonly window?: readonly [number, number] } {
  if (!isWindowed(key)) return { key: key ?? null };
  return { key: key.key, window: [key.window.startMs, key.window.endMs] };
}

async function compareStore(driver: TopologyTestDriver, name: string, expected: ExpectedStore): Promise<string[]> {
  const actual =
    expected.type === 'kv' ? await keyValueEntries(driver, name) : await windowEntries(driver, name, expected);
  if (isDeepStrictEqual(ordered(expected.entries), ordered(actual))) return [];
  return [difference(`store '${name}'`, expected.entries, actual)];
}

/** A plain store has no timestamps: then none are compared. */
async function keyValueEntries(driver: TopologyTestDriver, name: string): Promise<readonly object[]> {
  const store = driver.getStateStore<KeyValueStore<unknown, unknown>>(name);
  const entries: object[] = [];
  for await (const [key, value] of store.range()) {
    if (store.kind === 'key-value') entries.push({ key, value });
    else {
      const { value: inner, timestamp } = value as ValueAndTimestamp<unknown>;
      entries.push({ key, value: inner, ts: timestamp });
    }
  }
  return entries;
}

/** Windows in the order in which the scenario asks for keys; for each key by start. */
async function windowEntries(
  driver: TopologyTestDriver,
  name: string,
  expected: ExpectedStore,
): Promise<readonly object[]> {
  if (expected.type !== 'window') throw new NotYet(`${expected.type} store`);
  const store = driver.getStateStore<WindowStore<unknown, unknown>>(name);
  const keys = [...new Set(expected.entries.map((entry) => entry['key']))];
  const entries: object[] = [];
  for (const key of keys) {
    for await (const [windowed, { value, timestamp }] of store.fetch(key, 0, Number.MAX_SAFE_INTEGER)) {
      const start = windowed.windowStartMs;
      entries.push({ key, window: [start, start + store.windowSizeMs], value, ts: timestamp });
    }
  }
  return entries;
}

/** Fields by name, since their order says nothing; -0 is 0, as in JSON. */
function ordered(values: readonly unknown[]): unknown {
  return JSON.parse(
    JSON.stringify(values, (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    ),
  );
}

function difference(where: string, expected: unknown, actual: unknown): string {
  return `${where}:\n  expected ${JSON.stringify(expected)}\n  actual   ${JSON.stringify(actual)}`;
}
