import { Overlay } from './overlay.ts';

/** Counts by dense index, 4 bytes each, 0 where none was set; what a publication changes lies beside them (overlay.ts). */
export class Column {
  #base = new Uint32Array(1024);
  readonly #overlay = new Overlay<number, number>((index, value) => this.#write(index, value));

  get(index: number): number {
    return this.#overlay.get(index) ?? this.#base[index] ?? 0;
  }

  stage(index: number, value: number): void {
    this.#overlay.stage(index, value);
  }

  /** Sets what readers see now; what has been staged comes later. */
  set(index: number, value: number): void {
    this.#overlay.settleKey(index);
    this.#write(index, value);
  }

  apply(): void {
    this.#overlay.apply();
  }

  settle(max: number): boolean {
    return this.#overlay.settle(max);
  }

  get byteLength(): number {
    return this.#base.byteLength;
  }

  #write(index: number, value: number): void {
    if (index >= this.#base.length) {
      const grown = new Uint32Array(Math.ceil((index + 1) * growth));
      grown.set(this.#base);
      this.#base = grown;
    }
    this.#base[index] = value;
  }
}

const growth = 1.25;
