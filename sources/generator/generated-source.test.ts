import { expect, test } from 'vitest';
import type { Interaction } from '../../schemas/index.ts';
import { generatedSource, type GeneratedSourceOptions } from './generated-source.ts';
import { InteractionStream } from './interaction-stream.ts';

const catalogue = Array.from({ length: 50 }, (_, at) => ({ id: `p${at}`, category: `c${at % 5}`, price: 100 }));
const stream = new InteractionStream(catalogue, { eventsPerDay: 2_000_000 });

test('the source gives the stream, in batches of at most 1,000, and ends at the number asked for', async () => {
  const events = [];
  const lines = [];
  for await (const batch of generatedSource(stream, { events: 3500 }).batches()) {
    expect(batch.events.length).toBeLessThanOrEqual(1000);
    events.push(...batch.events);
    lines.push(...batch.lines);
  }
  expect(events).toEqual([...stream.events(3500)]);
  expect(lines).toEqual(events.map((_, at) => at + 1));
});

test('with a clock no event comes before it happened, and none is left out', async () => {
  let nowMs = stream.parameters.startMs;
  const clock = {
    nowMs: () => nowMs,
    until: (timeMs: number) => Promise.resolve(void (nowMs = Math.max(timeMs, nowMs + 100))),
  };
  const events = [];
  for await (const batch of generatedSource(stream, { events: 2000, clock }).batches()) {
    for (const { timestamp } of batch.events) expect(timestamp).toBeLessThanOrEqual(nowMs);
    events.push(...batch.events);
  }
  expect(events).toEqual([...stream.events(2000)]);
});

test('it ends before a minute when asked to, and the next one goes on there with nothing in between', async () => {
  const whole = await read({ to: 5 });
  expect(whole.length).toBeGreaterThan(1000);
  expect([...(await read({ to: 3 })), ...(await read({ from: 3, to: 5 }))]).toEqual(whole);
});

test('entered within a minute, it leaves out what has arrived before', async () => {
  const notBeforeMs = stream.parameters.startMs + 3 * 60_000 + 30_000;
  const expected = [];
  for (const { minute, events, arrivalsMs } of stream.minutes(3)) {
    if (minute === 5) break;
    expected.push(...events.filter((_, at) => arrivalsMs[at]! >= notBeforeMs));
  }
  const clock = { nowMs: () => Number.POSITIVE_INFINITY, until: () => Promise.resolve() };
  expect(await read({ from: 3, to: 5, notBeforeMs, clock })).toEqual(expected);
});

async function read(options: GeneratedSourceOptions): Promise<Interaction[]> {
  const events = [];
  for await (const batch of generatedSource(stream, options).batches()) events.push(...batch.events);
  return events;
}
