import type { Clock } from './clock.ts';

/** Numbers by dense index, 0 where none was set, in two versions (clock.ts). */
export class Column {
  readonly #clock: Clock;
  #current = new Float64Array(1024);
  #staged = new Float64Array(1024);
  /** Publication of the staged value; 0: there is none. */
  #stamps = new Uint32Array(1024);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(index: number): number {
    if (index >= this.#stamps.length) return 0;
    const stamp = this.#stamps[index]!;
    return stamp !== 0 && stamp <= this.#clock.applied ? this.#staged[index]! : this.#current[index]!;
  }

  stage(index: number, value: number): void {
    if (index >= this.#stamps.length) this.#grow(index * 2);
    this.#current[index] = this.get(index);
    this.#staged[index] = value;
    this.#stamps[index] = this.#clock.staging;
  }

  #grow(length: number): void {
    const current = new Float64Array(length);
    const staged = new Float64Array(length);
    const stamps = new Uint32Array(length);
    current.set(this.#current);
    staged.set(this.#staged);
    stamps.set(this.#stamps);
    this.#current = current;
    this.#staged = staged;
    this.#stamps = stamps;
  }
}
