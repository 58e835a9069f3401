/**
 * The order in which Java's collections give back what was put into them.
 *
 * Kafka Streams' `describe()` prints sets: stores and topics in the order of a HashSet, neighbours in the order of a
 * TreeSet whose elements keep changing size while it is filled. Visualisers and tests compare that text, so we print it
 * in the same order, and for that the two collections are rebuilt here as far as order goes. Both follow their public
 * specification: String.hashCode, and HashMap's spread `h ^ (h >>> 16)` over a power of two of buckets, at most three
 * quarters full; TreeMap is a red-black tree (Cormen et al., Introduction to Algorithms, chapter 13), insertion only.
 * tests/conformance/describe-order.test.ts holds it against every description of the conformance set.
 */

/** The strings in the order of a HashSet that they were added to one by one. */
export function hashOrder(strings: Iterable<string>, initialCapacity = 16): readonly string[] {
  let buckets = emptyBuckets(initialCapacity);
  let size = 0;
  for (const text of strings) {
    const bucket = bucketOf(buckets, text);
    if (bucket.includes(text)) continue;
    bucket.push(text);
    size += 1;
    if (size > 0.75 * buckets.length) {
      const grown = emptyBuckets(buckets.length * 2);
      for (const moved of buckets.flat()) bucketOf(grown, moved).push(moved);
      buckets = grown;
    }
  }
  return buckets.flat();
}

/** The order of a HashSet that was made as a copy of a collection, and therefore sized for it at once. */
export function copiedHashOrder(strings: readonly string[]): readonly string[] {
  let capacity = 16;
  while (capacity < strings.length / 0.75 + 1) capacity *= 2;
  return hashOrder(strings, capacity);
}

function emptyBuckets(count: number): string[][] {
  return Array.from({ length: count }, () => []);
}

function bucketOf(buckets: string[][], text: string): string[] {
  const hash = stringHash(text);
  return buckets[(hash ^ (hash >>> 16)) & (buckets.length - 1)]!;
}

function stringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

interface TreeNode<T> {
  readonly value: T;
  parent: TreeNode<T> | undefined;
  left: TreeNode<T> | undefined;
  right: TreeNode<T> | undefined;
  red: boolean;
}

/**
 * A TreeSet. Elements may change their place in the order after they were added: they stay where they are, and only what
 * is added later is compared with what they have become. So the shape of the tree matters, and with it the rebalancing.
 */
export class TreeSet<T> implements Iterable<T> {
  readonly #compare: (a: T, b: T) => number;
  #root: TreeNode<T> | undefined;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  add(value: T): void {
    let parent: TreeNode<T> | undefined;
    let order = 0;
    for (let at = this.#root; at !== undefined; at = order < 0 ? at.left : at.right) {
      parent = at;
      order = this.#compare(value, at.value);
      if (order === 0) return;
    }
    const node: TreeNode<T> = { value, parent, left: undefined, right: undefined, red: true };
    if (parent === undefined) this.#root = node;
    else if (order < 0) parent.left = node;
    else parent.right = node;
    this.#rebalance(node);
  }

  *[Symbol.iterator](): Iterator<T> {
    yield* inOrder(this.#root);
  }

  #rebalance(added: TreeNode<T>): void {
    let node = added;
    while (node.parent?.red === true) {
      const parent = node.parent;
      const grandparent = parent.parent!;
      const isLeft = parent === grandparent.left;
      const uncle = isLeft ? grandparent.right : grandparent.left;
      if (uncle?.red === true) {
        parent.red = false;
        uncle.red = false;
        grandparent.red = true;
        node = grandparent;
        continue;
      }
      if (node === (isLeft ? parent.right : parent.left)) {
        node = parent;
        this.#rotate(node, isLeft);
      }
      node.parent!.red = false;
      grandparent.red = true;
      this.#rotate(grandparent, !isLeft);
    }
    this.#root!.red = false;
  }

  /** Puts a child (to the left: the right one) in the node's place, and the node below it. */
  #rotate(node: TreeNode<T>, toLeft: boolean): void {
    const child = toLeft ? node.right! : node.left!;
    const moved = toLeft ? child.left : child.right;
    if (toLeft) node.right = moved;
    else node.left = moved;
    if (moved !== undefined) moved.parent = node;
    child.parent = node.parent;
    if (node.parent === undefined) this.#root = child;
    else if (node.parent.left === node) node.parent.left = child;
    else node.parent.right = child;
    if (toLeft) child.left = node;
    else child.right = node;
    node.parent = child;
  }
}

function* inOrder<T>(node: TreeNode<T> | undefined): Generator<T> {
  if (node === undefined) return;
  yield* inOrder(node.left);
  yield node.value;
  yield* inOrder(node.right);
}
