/**
 * One dense index for every item id, whichever store named it first, and from each partition's own item numbers to it.
 * It only grows, and nobody sees an index before a row that readers see leads to it; so it needs no versions.
 */
export class ItemIndex {
  readonly #ids: string[] = [];
  readonly #indexes = new Map<string, number>();
  /** Per partition: item number → 1 + index. */
  readonly #partitions: Uint32Array[] = [];

  get size(): number {
    return this.#ids.length;
  }

  id(index: number): string {
    return this.#ids[index]!;
  }

  find(id: string): number | undefined {
    return this.#indexes.get(id);
  }

  add(id: string): number {
    let index = this.#indexes.get(id);
    if (index === undefined) {
      index = this.#ids.length;
      this.#ids.push(id);
      this.#indexes.set(id, index);
    }
    return index;
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

  /** The index behind a partition's number; undefined before its row of `pair-item-names` has come. */
  ofNumber(partition: number, number: number): number | undefined {
    const index = this.#partitions[partition]?.[number];
    return index === undefined || index === 0 ? undefined : index - 1;
  }
}
