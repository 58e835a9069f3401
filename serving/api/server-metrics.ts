import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { LookupView } from '../view/lookup-view.ts';
import type { PartitionLag } from '../host/messages.ts';

/** What `/metrics` shows: requests, ingest, the view, and at each scrape lag and the runtime's own counters. */
export class ServerMetrics {
  readonly registry = new Registry();
  readonly #requests: Histogram<'route' | 'status'>;
  readonly #routes = new Map<string, Histogram.Internal<'route' | 'status'>>();
  readonly #taken: { readonly [Of in IngestKind]: Counter<'outcome'> };
  readonly #rejected: { readonly [Of in IngestKind]: Counter<'rule'> };
  readonly #lag: Gauge<'task' | 'topic' | 'partition'>;
  readonly #runtime: Gauge<'counter'>;

  constructor(view: LookupView) {
    const { registry } = this;
    const registers = [registry];
    collectDefaultMetrics({ register: registry });
    this.#requests = new Histogram({
      name: 'millrace_http_request_seconds',
      help: 'Time from a request to the end of its answer.',
      labelNames: ['route', 'status'],
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5],
      registers,
    });
    const taken = (name: string, records: string) => {
      const help = `${records} over HTTP: accepted, known already, or refused.`;
      const counter = new Counter({ name, help, labelNames: ['outcome'], registers });
      for (const outcome of ['accepted', 'duplicate', 'rejected']) counter.inc({ outcome }, 0);
      return counter;
    };
    const rejected = (name: string, records: string) => {
      const help = `${records} over HTTP that went to the dead letters, by the field or rule they break.`;
      return new Counter({ name, help, labelNames: ['rule'], registers });
    };
    this.#taken = {
      events: taken('millrace_ingest_events_total', 'Events'),
      products: taken('millrace_ingest_products_total', 'Versions of products'),
    };
    this.#rejected = {
      events: rejected('millrace_ingest_rejected_total', 'Events'),
      products: rejected('millrace_ingest_products_rejected_total', 'Versions of products'),
    };
    this.#lag = new Gauge({
      name: 'millrace_lag_records',
      help: 'Records of a partition that a task has not committed yet.',
      labelNames: ['task', 'topic', 'partition'],
      registers,
    });
    this.#runtime = new Gauge({
      name: 'millrace_runtime_total',
      help: 'Counters of the topology since it started: dropped, late and dead-lettered records, commits.',
      labelNames: ['counter'],
      registers,
    });
    const bytes: Gauge<'part'> = new Gauge({
      name: 'millrace_view_bytes',
      help: 'Memory of what look-ups read, by part.',
      labelNames: ['part'],
      registers,
      collect() {
        for (const [part, used] of Object.entries(view.byteLengths)) bytes.set({ part }, used);
      },
    });
    const viewGauges = {
      publications: [() => view.publications, 'Publications that look-ups have seen.'],
      items: [() => view.items, 'Items that look-ups know.'],
      waiting_slices: [() => view.waitingSlices, 'Slices of publications that wait to be staged.'],
      committed_at_seconds: [() => view.committedAtMs / 1000, 'When what look-ups see was committed.'],
    } as const;
    for (const [name, [read, help]] of Object.entries(viewGauges)) {
      const gauge: Gauge = new Gauge({
        name: `millrace_view_${name}`,
        help,
        registers,
        collect: () => gauge.set(read()),
      });
    }
  }

  request(route: string, status: number, seconds: number): void {
    const key = `${route} ${status}`;
    let histogram = this.#routes.get(key);
    if (histogram === undefined) {
      histogram = this.#requests.labels({ route, status: String(status) });
      this.#routes.set(key, histogram);
    }
    histogram.observe(seconds);
  }

  ingested(
    kind: IngestKind,
    of: { readonly accepted: number; readonly duplicates: number; readonly rejectedRules: readonly string[] },
  ): void {
    this.#taken[kind].inc({ outcome: 'accepted' }, of.accepted);
    this.#taken[kind].inc({ outcome: 'duplicate' }, of.duplicates);
    this.#taken[kind].inc({ outcome: 'rejected' }, of.rejectedRules.length);
    for (const rule of of.rejectedRules) this.#rejected[kind].inc({ rule });
  }

  topology(lag: readonly PartitionLag[], counters: { readonly [counter: string]: number }): void {
    // Tasks that were here may be elsewhere now.
    this.#lag.reset();
    for (const { task, topic, partition, lagRecords } of lag) {
      this.#lag.set({ task, topic, partition: String(partition) }, lagRecords);
    }
    for (const [counter, value] of Object.entries(counters)) this.#runtime.set({ counter }, value);
  }
}

/** What is taken in over HTTP. */
export type IngestKind = 'events' | 'products';
