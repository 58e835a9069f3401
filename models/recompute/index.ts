/** The shop's rules computed from scratch, and the comparison of a running system or a data folder with them. */
export { compareState, type CompareOptions } from './compare.ts';
export type { Comparison, Difference, TableComparison } from './comparison.ts';
export { formatComparison } from './format-comparison.ts';
export type { RankedList } from './lists.ts';
export type { LogEvent } from './log-events.ts';
export type { LogVersion } from './log-versions.ts';
export type { PairTable } from './pair-table.ts';
export { pageParameters, type Parameters } from './parameters.ts';
export { hourKey } from './products.ts';
export { marginalKey } from './marginals.ts';
export { readerOf } from './reader-of.ts';
export { type Recomputation, type RecomputeOptions, recomputeLog, recomputeUci } from './recompute.ts';
export * from './rows.ts';
export type { UnusableLine } from './uci-events.ts';
