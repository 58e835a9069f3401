import { eventRelations, type EventRelationCode } from '../../processors/index.ts';
import { Column } from './column.ts';

/**
 * What scoring asks of an item besides its pairs: whether it has had an event, is a service, is inactive, and in how many
 * sessions it occurred. Fetched when it is first asked for, then kept: 4 bytes a fact, whatever is pushed out elsewhere.
 *
 * | state   | meaning                                                                                          |
 * |---------|--------------------------------------------------------------------------------------------------|
 * | absent  | not here; what is published of it is passed over                                                 |
 * | found   | the same, but its number in its own partition has been asked for, so published rows are its      |
 * | loading | asked for; what is published meanwhile wins over what the answer says                            |
 * | held    | all facts are here; one that no row speaks of is 0                                               |
 */
export class ItemFacts {
  readonly #columns = facts.map(() => new Column());
  #states = new Uint8Array(1024);
  /** Facts of loading items that a publication has brought, as `item * facts + fact`. */
  readonly #published = new Set<number>();

  get byteLength(): number {
    return this.#columns.reduce((sum, { byteLength }) => sum + byteLength, this.#states.byteLength);
  }

  isHeld(item: number): boolean {
    return this.#states[item] === held;
  }

  /** Whether its number in its own partition is known, if it has one. */
  isFound(item: number): boolean {
    return (this.#states[item] ?? absent) >= found;
  }

  isSeen(item: number): boolean {
    return this.#columns[seen]!.get(item) > 0;
  }

  isRecommended(item: number): boolean {
    return this.#columns[service]!.get(item) === 0 && this.#columns[inactive]!.get(item) === 0;
  }

  n(relation: EventRelationCode, item: number): number {
    return this.#columns[sessions + relation]!.get(item);
  }

  /** A published fact. */
  stage(item: number, fact: number, value: number): void {
    const state = this.#states[item] ?? absent;
    if (state < loading) return;
    if (state === loading) this.#published.add(placeOf(item, fact));
    this.#columns[fact]!.stage(item, value);
  }

  /** Its number is known, or that it has none yet. */
  found(item: number): void {
    if (item >= this.#states.length) {
      const grown = new Uint8Array(Math.ceil((item + 1) * growth));
      grown.set(this.#states);
      this.#states = grown;
    }
    if (this.#states[item] === absent) this.#states[item] = found;
  }

  /** An answer is on its way; to be found first when it has not been. */
  want(item: number): void {
    if (this.#states[item] !== found) return;
    this.#states[item] = loading;
    for (const column of this.#columns) column.set(item, 0);
  }

  /** A fact of an answer. */
  fill(item: number, fact: number, value: number): void {
    if (this.#states[item] !== loading || this.#published.has(placeOf(item, fact))) return;
    this.#columns[fact]!.set(item, value);
  }

  /** The answer has come. */
  filled(item: number): void {
    this.#settle(item, held);
  }

  /** No answer will come. */
  giveUp(item: number): void {
    this.#settle(item, found);
  }

  apply(): void {
    for (const column of this.#columns) column.apply();
  }

  settle(max: number): boolean {
    return this.#columns.every((column) => column.settle(max));
  }

  /** Lets everything go but what is on its way. */
  forget(): void {
    for (const [item, state] of this.#states.entries()) if (state === held) this.#states[item] = found;
  }

  /** Lets everything go; an answer that is on its way will not be asked. */
  forgetAll(): void {
    this.settle(Infinity);
    this.#states.fill(absent);
    this.#published.clear();
  }

  #settle(item: number, state: number): void {
    if (this.#states[item] !== loading) return;
    this.#states[item] = state;
    for (const fact of facts) this.#published.delete(placeOf(item, fact));
  }
}

function placeOf(item: number, fact: number): number {
  return item * facts.length + fact;
}

/** Places of the columns: 1 for what has had an event, for a service, for what the catalogue says is inactive. */
export const seen = 0;
export const service = 1;
export const inactive = 2;
/** Sessions by an event relation: this and the relation's code. */
export const sessions = 3;
const facts = Array.from({ length: sessions + eventRelations.length }, (_, fact) => fact);

const absent = 0;
const found = 1;
const loading = 2;
const held = 3;
const growth = 1.25;
