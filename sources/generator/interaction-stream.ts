/**
 * The whole stream, minute by minute, and from any minute on.
 *
 * Sessions begin as a Poisson process thinned by the daily rhythm: gaps are exponential at the rate of the busiest hour,
 * and a start is kept with probability rhythm / busiest. Each minute's starts come from the minute's own random
 * numbers. A session's events fall into the minutes in which they arrive, which are at most `spanMinutes` away:
 *
 *     minute   100   101   102  …  149   150
 *     starts    S1    S2                        events of S1 lie in 100..150, and in no other
 *     minute 150's events: those of the sessions of minutes 100..150 that arrive in it, sorted by arrival
 *
 * So entering at minute m plans the sessions of the `spanMinutes` before it again, and nothing else: that is all of
 * resuming. Memory holds the events of `spanMinutes` minutes, whatever the number of users or events.
 */
import type { Interaction } from '../../schemas/index.ts';
import { CatalogueIndex, type CatalogueEntry } from './catalogue-index.ts';
import { dailyRhythm, rhythmMax } from './daily-rhythm.ts';
import {
  checkParameters,
  eventsPerSession,
  generatorDefaults,
  type GeneratorParameters,
  lateMsMax,
  minuteMs,
  sessionMsMax,
} from './parameters.ts';
import { Popularity } from './popularity.ts';
import { mix, Random } from './random.ts';
import { SessionPlanner } from './session-plan.ts';

export interface GeneratedMinute {
  /** From `startMs` on. */
  readonly minute: number;
  /** In the order of their arrival, which is that of their times but for late events. */
  readonly events: readonly Interaction[];
  /** Of each event, at its place: never before its time, and within the minute. */
  readonly arrivalsMs: readonly number[];
}

interface Arrival {
  readonly event: Interaction;
  readonly arrivalMs: number;
}

const spanMinutes = Math.ceil((sessionMsMax + lateMsMax) / minuteMs) + 1;
const purpose = 41;

export class InteractionStream {
  readonly parameters: GeneratorParameters;
  readonly catalogue: CatalogueIndex;
  readonly #planner: SessionPlanner;
  readonly #gapMsMean: number;
  readonly #prefix: string;

  /** @throws MillraceError `INVALID_ARGUMENT` for a parameter out of its bounds, or an empty catalogue. */
  constructor(catalogue: CatalogueIndex | Iterable<CatalogueEntry>, parameters: Partial<GeneratorParameters> = {}) {
    this.parameters = { ...generatorDefaults, ...parameters };
    checkParameters(this.parameters);
    this.catalogue = catalogue instanceof CatalogueIndex ? catalogue : new CatalogueIndex(catalogue);
    this.#planner = new SessionPlanner(this.parameters, new Popularity(this.catalogue, this.parameters));
    const sessionsPerDay = this.parameters.eventsPerDay / eventsPerSession(this.parameters);
    this.#gapMsMean = 86_400_000 / (sessionsPerDay * rhythmMax(this.parameters.rhythmSwing));
    this.#prefix = `g${fingerprint([...Object.values(this.parameters), this.catalogue.fingerprint])}`;
  }

  /** Every minute from this one on, without end. The same whatever minute it was entered at. */
  *minutes(from = 0): Generator<GeneratedMinute, never, undefined> {
    const coming = new Map<number, Arrival[]>();
    for (let minute = Math.max(0, from - spanMinutes); ; minute++) {
      this.#plan(minute, from, coming);
      if (minute < from) continue;
      const arrivals = (coming.get(minute) ?? []).sort((left, right) => left.arrivalMs - right.arrivalMs);
      coming.delete(minute);
      yield {
        minute,
        events: arrivals.map(({ event }) => event),
        arrivalsMs: arrivals.map(({ arrivalMs }) => arrivalMs),
      };
    }
  }

  /** The first `count` events from the beginning of a minute on. */
  *events(count: number, from = 0): Generator<Interaction, void, undefined> {
    let left = count;
    if (left <= 0) return;
    for (const { events } of this.minutes(from)) {
      for (const event of events) {
        yield event;
        if (--left === 0) return;
      }
    }
  }

  #plan(minute: number, from: number, coming: Map<number, Arrival[]>): void {
    const { seed, startMs, rhythmSwing } = this.parameters;
    const busiest = rhythmMax(rhythmSwing);
    const starts = new Random().at(seed, purpose, minute);
    const beginMs = startMs + minute * minuteMs;
    let session = 0;
    for (let offset = starts.exponential(this.#gapMsMean); offset < minuteMs;) {
      const timeMs = beginMs + Math.floor(offset);
      if (starts.chance(dailyRhythm(timeMs, rhythmSwing) / busiest))
        this.#arrive(minute, session++, timeMs, { from, coming });
      offset += starts.exponential(this.#gapMsMean);
    }
  }

  #arrive(
    minute: number,
    session: number,
    startMs: number,
    { from, coming }: { readonly from: number; readonly coming: Map<number, Arrival[]> },
  ): void {
    const plan = this.#planner.plan({ minute, session, startMs });
    const sessionId = `${this.#prefix}-${minute}-${session}`;
    const userId = plan.anonymous ? null : `u${plan.user}`;
    for (const [number, { position, type, quantity, timestamp, arrivalMs }] of plan.steps.entries()) {
      const arrivalMinute = Math.floor((arrivalMs - this.parameters.startMs) / minuteMs);
      if (arrivalMinute < from) continue;
      const product = this.catalogue.product(plan.category, position);
      const event: Interaction = {
        eventId: `${sessionId}-${number}`,
        userId,
        sessionId,
        productId: this.catalogue.ids[product]!,
        type,
        quantity,
        price: this.catalogue.prices[product]!,
        currency: this.parameters.currency,
        timestamp,
        title: null,
        service: false,
      };
      const arrivals = coming.get(arrivalMinute);
      if (arrivals === undefined) coming.set(arrivalMinute, [{ event, arrivalMs }]);
      else arrivals.push({ event, arrivalMs });
    }
  }
}

/** Tells ids of one stream from those of another: 16 hex digits of all that it depends on. */
function fingerprint(values: readonly (number | string)[]): string {
  let [high, low] = [0x811c9dc5, 0x01000193];
  for (const character of values.join('|')) {
    high = mix(high ^ character.codePointAt(0)!);
    low = mix(low + high);
  }
  return [high, low].map((word) => word.toString(16).padStart(8, '0')).join('');
}
