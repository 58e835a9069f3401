import { ItemIds } from './item-ids.ts';

/**
 * One dense index for every item id, whichever store named it first, and from each partition's own item numbers to it.
 * It only grows (numbers are another generation's anew), and nobody sees an index before a row that readers see leads to it; so it needs no versions.
 */
export class ItemIndex {
  readonly #ids = new ItemIds();
  /** Per partition: item number → 1 + index. */
  readonly #partitions: Uint32Array[] = [];

  get size(): number {
    return this.#ids.size;
  }

  get byteLength(): number {
    return this.#partitions.reduce((sum, of) => sum + (of?.byteLength ?? 0), this.#ids.byteLength);
  }

  id(index: number): string {
    return this.#ids.id(index);
  }

  find(id: string): number | undefined {
    return this.#ids.find(id);
  }

  add(id: string): number {
    return this.#ids.add(id);
  }

  setNumber(partition: number, number: number, index: number): void {
    let indexes = (this.#partitions[partition] ??= new Uint32Array(1024));
    if (number >= indexes.length) {
      const grown = new Uint32Array(number * 2);
      grown.set(indexes);
      this.#partitions[partition] = indexes = grown;
    }
    indexes[number] = index + 1;
  }

  /** Items keep their indexes; which numbers they have is another generation's to say. */
  forgetNumbers(): void {
    this.#partitions.length = 0;
  }

  /** The index behind a partition's number; undefined before its row of `pair-item-names` has come. */
  ofNumber(partition: number, number: number): number | undefined {
    const index = this.#partitions[partition]?.[number];
    return index === undefined || index === 0 ? undefined : index - 1;
  }
}
