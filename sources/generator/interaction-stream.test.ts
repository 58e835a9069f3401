import { expect, test } from 'vitest';
import { type Interaction, isInvalidField, validateInteraction } from '../../schemas/index.ts';
import { CatalogueIndex } from './catalogue-index.ts';
import { InteractionStream } from './interaction-stream.ts';
import { clustersOf, Popularity } from './popularity.ts';
import { generatorDefaults, lateMsMax } from './parameters.ts';
import { Random } from './random.ts';
import { drawZipf } from './zipf.ts';

const catalogue = Array.from({ length: 4000 }, (_, at) => ({
  id: `p${at}`,
  category: `c${at % 20}`,
  price: 10_000 + at,
}));
const index = new CatalogueIndex(catalogue);
const stream = new InteractionStream(index, { users: 2000, eventsPerDay: 50_000 });
const twoDays = [...stream.events(100_000)];
const count = (type: Interaction['type']) => twoDays.filter((event) => event.type === type).length;

test('every event passes the gate for interactions', () => {
  for (const event of twoDays) expect(isInvalidField(validateInteraction(event, event.timestamp))).toBe(false);
  expect(new Set(twoDays.map(({ eventId }) => eventId)).size).toBe(100_000);
});

test('the same seed, catalogue and parameters give the same events; another seed gives others', () => {
  const again = new InteractionStream(catalogue, { users: 2000, eventsPerDay: 50_000 });
  expect([...again.events(5000)]).toEqual(twoDays.slice(0, 5000));
  const other = new InteractionStream(catalogue, { users: 2000, eventsPerDay: 50_000, seed: 2 });
  expect([...other.events(10)].map(({ productId }) => productId)).not.toEqual(
    twoDays.slice(0, 10).map(({ productId }) => productId),
  );
});

test.each([
  ['id', { id: 'q0' }],
  ['category', { category: 'c9' }],
  ['price', { price: 1 }],
])('two catalogues of one size that differ in one %s share no event id', (_, change) => {
  const [first, ...others] = catalogue;
  const ids = (of: typeof catalogue) =>
    [...new InteractionStream(of, { users: 2000, eventsPerDay: 50_000 }).events(100)].map(({ eventId }) => eventId);
  const changed = new Set(ids([{ ...first!, ...change }, ...others]));
  expect(ids(catalogue).filter((id) => changed.has(id))).toEqual([]);
});

test.each([1, 30, 51, 777])('a stream entered at minute %i goes on as if it had run from the start', (from) => {
  const whole = stream.minutes();
  for (let minute = 0; minute < from; minute++) whole.next();
  const entered = stream.minutes(from);
  for (let minutes = 0; minutes < 100; minutes++) expect(entered.next()).toEqual(whole.next());
});

test('as many events come a day as were asked for', () => {
  const days = (twoDays.at(-1)!.timestamp - stream.parameters.startMs) / 86_400_000;
  expect(100_000 / days / 50_000).toBeCloseTo(1, 1);
});

test('times ascend but for the stated share of late events, and none arrives before it happened', () => {
  let late = 0;
  let latest = 0;
  for (const { timestamp } of twoDays) {
    if (timestamp < latest) {
      late++;
      expect(latest - timestamp).toBeLessThanOrEqual(lateMsMax);
    }
    latest = Math.max(latest, timestamp);
  }
  expect(late / twoDays.length).toBeGreaterThan(0.003);
  expect(late / twoDays.length).toBeLessThan(0.006);
  const minutes = stream.minutes();
  for (let at = 0; at < 100; at++) {
    const { events, arrivalsMs } = minutes.next().value;
    events.forEach(({ timestamp }, place) => expect(timestamp).toBeLessThanOrEqual(arrivalsMs[place]!));
  }
});

/** Within `deviations` standard deviations of a share drawn `of` times. */
function expectShare(hits: number, of: number, rate: number, deviations = 4): void {
  expect(Math.abs(hits / of - rate)).toBeLessThan(deviations * Math.sqrt((rate * (1 - rate)) / of));
}

test('the funnel has the stated rates', () => {
  const { cartRate, removeRate, purchaseRate, favoriteRate, ratingRate, returnRate } = generatorDefaults;
  expectShare(count('cart'), count('view'), cartRate);
  expectShare(count('favorite'), count('view'), favoriteRate);
  expectShare(count('remove'), count('cart'), removeRate);
  expectShare(count('purchase'), count('cart') - count('remove'), purchaseRate);
  expectShare(count('rating'), count('purchase'), ratingRate);
  expectShare(count('return'), count('purchase'), returnRate);
});

test('a fifth of the sessions is anonymous', () => {
  const sessions = new Map(twoDays.map(({ sessionId, userId }) => [sessionId, userId]));
  const anonymous = [...sessions.values()].filter((userId) => userId === null).length;
  expectShare(anonymous, sessions.size, generatorDefaults.anonymousRate);
});

test('sessions of 19 to 21 o’clock outnumber those of 7 to 9 by the rhythm', () => {
  const starts = new Map<string, number>();
  for (const { sessionId, timestamp } of twoDays) if (!starts.has(sessionId!)) starts.set(sessionId!, timestamp);
  const between = (from: number, to: number) =>
    [...starts.values()].filter((ms) => ms % 86_400_000 >= from * 3_600_000 && ms % 86_400_000 < to * 3_600_000).length;
  const ratio = between(19, 21) / between(7, 9);
  expect(ratio).toBeGreaterThan(4.5);
  expect(ratio).toBeLessThan(7);
});

test('without a swing every hour is alike', () => {
  const hours = new Uint32Array(24);
  const steady = new InteractionStream(index, { eventsPerDay: 240_000, rhythmSwing: 0 });
  for (const { timestamp } of steady.events(240_000)) hours[Math.floor((timestamp % 86_400_000) / 3_600_000)]! += 1;
  // But the first: sessions that began before the stream are not there.
  for (const events of hours.slice(1)) expect(Math.abs(events - 10_000)).toBeLessThan(1500);
});

/** Of the sessions of frequent users, how many lie in the three categories that each of them visits most. */
function shareOfTopThree(events: Iterable<Interaction>): number {
  const sessions = new Map<string, Set<string>>();
  for (const { userId, sessionId, productId } of events) {
    if (userId === null || Number(userId.slice(1)) > 50) continue;
    const category = Number(productId.slice(1)) % 20;
    sessions.set(userId, (sessions.get(userId) ?? new Set()).add(`${sessionId}/${category}`));
  }
  let [top, all] = [0, 0];
  for (const visits of sessions.values()) {
    const tally = new Map<string, number>();
    for (const visit of visits) tally.set(visit.split('/')[1]!, (tally.get(visit.split('/')[1]!) ?? 0) + 1);
    const counts = [...tally.values()].toSorted((left, right) => right - left);
    top += counts.slice(0, 3).reduce((sum, n) => sum + n, 0);
    all += visits.size;
  }
  return top / all;
}

test('a user stays with few categories, far more than by their popularity alone', () => {
  const without = new InteractionStream(index, { users: 2000, eventsPerDay: 50_000, affinityRate: 0 });
  const [affine, baseline] = [shareOfTopThree(twoDays), shareOfTopThree(without.events(100_000))];
  expect(affine).toBeGreaterThan(0.8);
  expect(baseline).toBeLessThan(affine - 0.1);
});

test('products that share a session share a cluster far more often than chance would have it', () => {
  const clusters = clustersOf(200);
  const clusterOf = (productId: string) => Math.floor(Number(productId.slice(1)) / 20) % clusters;
  let [same, pairs] = [0, 0];
  const last = new Map<string, string>();
  for (const { type, sessionId, productId } of twoDays) {
    if (type !== 'view') continue;
    const before = last.get(sessionId!);
    last.set(sessionId!, productId);
    if (before === undefined || before === productId) continue;
    pairs++;
    if (clusterOf(before) === clusterOf(productId)) same++;
  }
  expect(same / pairs).toBeGreaterThan(0.4);
  expect(1 / clusters).toBeLessThan(0.1);
});

test.each([0.8, 1, 1.05, 1.5])('Zipf ranks fall off with exponent %d', (exponent) => {
  const random = new Random().at(7, 1);
  const hits = new Float64Array(1000);
  for (let draw = 0; draw < 300_000; draw++) hits[drawZipf(random, 1000, exponent)]!++;
  expect(Math.log(hits[0]! / hits[9]!) / Math.log(10)).toBeCloseTo(exponent, 1);
  expect(drawZipf(random, 1, exponent)).toBe(0);
});

test('popularity drifts: the best seller fades, another takes its place after driftDays', () => {
  const popularity = new Popularity(index, generatorDefaults);
  const shareOf = (day: number, position: number) => {
    const random = new Random().at(3, day);
    let hits = 0;
    for (let draw = 0; draw < 20_000; draw++) {
      if (popularity.position(random, 0, generatorDefaults.startMs + day * 86_400_000) === position) hits++;
    }
    return hits / 20_000;
  };
  const hits = new Float64Array(200);
  const random = new Random().at(3, 0);
  for (let draw = 0; draw < 20_000; draw++) hits[popularity.position(random, 0, generatorDefaults.startMs)]!++;
  const best = hits.indexOf(Math.max(...hits));
  const [begin, half, end] = [shareOf(0, best), shareOf(45, best), shareOf(90, best)];
  expect(begin).toBeGreaterThan(0.15);
  expect(half / begin).toBeGreaterThan(0.35);
  expect(half / begin).toBeLessThan(0.7);
  expect(end / begin).toBeLessThan(0.3);
});

test.each([{ users: 0 }, { cartRate: 1.5 }, { startMs: 1 }, { seed: -1 }, { eventsPerDay: 0 }])(
  'parameters out of bounds are refused: %j',
  (parameters) => {
    expect(() => new InteractionStream(index, parameters)).toThrow(/wants .*, found/);
  },
);

test('an empty catalogue is refused', () => {
  expect(() => new InteractionStream([])).toThrow(/1 product or more, found 0/);
});
