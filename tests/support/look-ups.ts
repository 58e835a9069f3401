import { setTimeout as sleep } from 'node:timers/promises';

/** Asks one look-up after the other: lists, users, statistics, health. */
export class LookUps {
  readonly failures: string[] = [];
  answers = 0;
  readonly #url: string;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(url: string) {
    this.#url = url;
  }

  start(): void {
    this.#running = this.#ask();
    this.#running.catch(() => undefined); // `stop` tells it.
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #ask(): Promise<void> {
    while ((await fetch(`${this.#url}/health/ready`)).status !== 200) await sleep(20);
    const products = await this.#someProducts();
    const begunMs = performance.now();
    const paths = products.flatMap((id) => [`/v1/products/${id}/similar`, `/v1/products/${id}/stats`]);
    paths.push('/v1/trending', '/v1/users/http-0:user:1/recommendations', '/health/ready');
    for (let at = 0; !this.#stopping; at += 1) {
      const path = paths[at % paths.length]!;
      const response = await fetch(this.#url + path);
      const body = await response.text();
      if (response.status === 200) this.answers += 1;
      else this.failures.push(`${Math.round(performance.now() - begunMs)} ms ${path}: ${response.status} ${body}`);
      await sleep(5);
    }
  }

  /** Asked until there is an answer: tasks may be on their way. */
  async #someProducts(): Promise<readonly string[]> {
    for (;;) {
      const answer = await fetch(`${this.#url}/v1/stores/product-stats/range?limit=20`);
      const body = (await answer.json()) as { readonly rows?: readonly { readonly key: string }[] };
      if (answer.status === 200) return body.rows!.map(({ key }) => encodeURIComponent(key));
      await sleep(20);
    }
  }
}
