import type { GraphNode, StoreSpec, TopologyGraph } from './graph.ts';

/**
 * What makes stored state belong to a topology: which topics each sub-topology reads, its stores (kind, serdes, window
 * size) and its repartition topics with their partitions. A data folder remembers it; opening the folder with another one
 * must say what changed instead of reading bytes with the wrong serde, or counts of other keys.
 *
 * What is not part: function bodies (nobody can compare them), names of nodes without state, retention and caching
 * (they may change between two starts). Two programs with equal fingerprints may still differ in what they compute.
 */
export interface Fingerprint {
  readonly format: 1;
  readonly subtopologies: readonly SubtopologyFingerprint[];
  readonly stores: readonly StoreFingerprint[];
  readonly repartitionTopics: readonly RepartitionTopicFingerprint[];
}

export interface SubtopologyFingerprint {
  readonly id: number;
  readonly sourceTopics: readonly string[];
  readonly stores: readonly string[];
}

export interface StoreFingerprint {
  readonly name: string;
  readonly kind: StoreSpec['kind'];
  readonly keySerde: string;
  readonly valueSerde: string;
  readonly windowSizeMs?: number;
}

export interface RepartitionTopicFingerprint {
  readonly name: string;
  readonly partitions: number | null;
  readonly keySerde: string;
  readonly valueSerde: string;
}

/**
 * @param partitions partitions of the repartition topics, as `resolvePartitions` gives them; without it those that the
 * topology asks for.
 */
export function fingerprint(graph: TopologyGraph, partitions?: ReadonlyMap<string, number>): Fingerprint {
  const nodes = [...graph.nodes.values()];
  return {
    format: 1,
    subtopologies: graph.subtopologies.map(({ id, sourceTopics, stores }) => ({
      id,
      sourceTopics: sourceTopics.map(String).toSorted(),
      stores: stores.toSorted(),
    })),
    stores: [...graph.stores.values()].map(storeFingerprint).toSorted(byName),
    repartitionTopics: [...graph.internalTopics.values()]
      .map(({ name, partitions: asked }) => ({
        name,
        partitions: partitions?.get(name) ?? asked ?? null,
        ...serdesOf(nodes, name),
      }))
      .toSorted(byName),
  };
}

/** One text for equal fingerprints. */
export function canonicalJson(of: Fingerprint): string {
  return JSON.stringify(of, (_, value: unknown) => (isObject(value) ? sortedByKey(value) : value));
}

/** What changed, a sentence each: `store 'counts': value serde was 'string', is 'json'`. Empty when nothing did. */
export function compareFingerprints(was: Fingerprint, is: Fingerprint): readonly string[] {
  return [
    ...compareNamed('store', was.stores, is.stores, compareStores),
    ...compareNamed('repartition topic', was.repartitionTopics, is.repartitionTopics, compareTopics),
    ...compareSubtopologies(was.subtopologies, is.subtopologies),
  ];
}

function storeFingerprint(store: StoreSpec): StoreFingerprint {
  const { name, kind, keySerde, valueSerde } = store;
  const common = { name, kind, keySerde: keySerde.name, valueSerde: valueSerde.name };
  return store.kind === 'window' ? { ...common, windowSizeMs: store.windowSizeMs } : common;
}

function serdesOf(
  nodes: readonly GraphNode[],
  topic: string,
): { readonly keySerde: string; readonly valueSerde: string } {
  const source = nodes.find(
    (node) => node.kind === 'source' && Array.isArray(node.topics) && node.topics.includes(topic),
  );
  return source?.kind === 'source'
    ? { keySerde: source.keySerde.name, valueSerde: source.valueSerde.name }
    : { keySerde: 'none', valueSerde: 'none' };
}

function compareStores(was: StoreFingerprint, is: StoreFingerprint): string[] {
  return [
    ...difference('kind', was.kind, is.kind),
    ...difference('key serde', was.keySerde, is.keySerde),
    ...difference('value serde', was.valueSerde, is.valueSerde),
    ...difference('window size (ms)', was.windowSizeMs, is.windowSizeMs),
  ];
}

function compareTopics(was: RepartitionTopicFingerprint, is: RepartitionTopicFingerprint): string[] {
  return [
    ...difference('partitions', was.partitions, is.partitions),
    ...difference('key serde', was.keySerde, is.keySerde),
    ...difference('value serde', was.valueSerde, is.valueSerde),
  ];
}

function compareNamed<T extends { readonly name: string }>(
  what: string,
  was: readonly T[],
  is: readonly T[],
  compare: (was: T, is: T) => string[],
): string[] {
  const sentences: string[] = [];
  for (const before of was) {
    const after = is.find(({ name }) => name === before.name);
    if (after === undefined) sentences.push(`${what} '${before.name}': was there, is gone`);
    else sentences.push(...compare(before, after).map((change) => `${what} '${before.name}': ${change}`));
  }
  for (const after of is) {
    if (!was.some(({ name }) => name === after.name)) sentences.push(`${what} '${after.name}': was not there, is new`);
  }
  return sentences;
}

/** State is kept by sub-topology number and partition, so a number that means something else is a change. */
function compareSubtopologies(was: readonly SubtopologyFingerprint[], is: readonly SubtopologyFingerprint[]): string[] {
  const sentences: string[] = [];
  for (let id = 0; id < Math.max(was.length, is.length); id += 1) {
    const [before, after] = [was[id], is[id]];
    if (before === undefined)
      sentences.push(`sub-topology ${id}: was not there, reads [${after!.sourceTopics.join(', ')}]`);
    else if (after === undefined)
      sentences.push(`sub-topology ${id}: read [${before.sourceTopics.join(', ')}], is gone`);
    else {
      const changes = [
        ...difference('source topics', list(before.sourceTopics), list(after.sourceTopics)),
        ...difference('stores', list(before.stores), list(after.stores)),
      ];
      sentences.push(...changes.map((change) => `sub-topology ${id}: ${change}`));
    }
  }
  return sentences;
}

type Shown = string | number | null | undefined;

function difference(what: string, was: Shown, is: Shown): string[] {
  return was === is ? [] : [`${what} was ${shown(was)}, is ${shown(is)}`];
}

function shown(value: Shown): string {
  if (value === undefined || value === null) return 'not set';
  return typeof value === 'number' || value.startsWith('[') ? String(value) : `'${value}'`;
}

function list(names: readonly string[]): string {
  return `[${names.join(', ')}]`;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedByKey(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
