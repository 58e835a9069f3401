/** The shop: processors over the topology library, and what serving and evaluation need of them. */
export { firstSeed, mix32, murmur3, murmur3Bytes, secondSeed } from './hash/murmur3.ts';
export { HyperLogLog } from './hll/hyper-log-log.ts';
export { Chunk, chunkSerde, stride } from './packed/chunk.ts';
export { chunkKey, chunkKeySerde, chunkOfChunkKey, rowOfChunkKey, type ChunkKey } from './packed/chunk-key.ts';
export { HeapStore } from './packed/heap-store.ts';
export { itemOfPairRow, pairRow, relationOfPairRow, rowsPerItem } from './pairs/pair-row.ts';
export type { PairStep } from './pairs/pair-step.ts';
export { nextNumberKey, PairTables, type PairStores } from './pairs/pair-tables.ts';
export { addToTotals, emptyPairTotals, pairTotalsSerde, type PairTotals } from './pairs/pair-totals.ts';
export {
  eventRelations,
  relationCode,
  relations,
  type EventRelation,
  type EventRelationCode,
  type Relation,
} from './pairs/relation.ts';
export { newestDistinct, sessionStep, type SessionStep, type StepPair } from './pairs/session-step.ts';
export { viewedThenBought } from './pairs/viewed-then-bought.ts';
export { MemoryPairView } from './recommend/memory-pair-view.ts';
export type { PairRow, PairView, Reminders } from './recommend/pair-view.ts';
export {
  Scorer,
  strongestRelation,
  type ListOptions,
  type RecentItem,
  type Scored,
  type SimilarOptions,
  type VoteOptions,
} from './recommend/score.ts';
export { interactionBinarySerde } from './binary/interaction-serde.ts';
export { isActiveRow } from './catalogue/product-row.ts';
export { catalogueCounters, type CatalogueCounter } from './catalogue/catalogue-version.ts';
export type { FunnelDay, MonthOfFunnels } from './categories/category-funnels.ts';
export { parseCategoryProductKey, type CategoryProduct } from './categories/category-products.ts';
export {
  topsMax,
  trendingAt,
  trendingIn,
  type BestSeller,
  type CategoryTops,
  type ScoredTrend,
  type TrendingProduct,
} from './categories/category-tops.ts';
export type { Ranked } from './categories/top-list.ts';
export {
  currentCategory,
  hourMs,
  type CategoryVersion,
  type CategoryVersions,
} from './categories/category-versions.ts';
export { cleanseCounters, invalidInteraction, type CleanseCounter } from './cleanse/cleanse-processor.ts';
export { eventIdentity } from './cleanse/event-identity.ts';
export { pairStepSerde } from './pairs/pair-step-serde.ts';
export { partitionOfItem } from './pairs/pair-processor.ts';
export { addCounts, isNothing, noCounts, type Counts } from './hours/counts.ts';
export {
  hourStartMs,
  monthKey,
  monthsBetween,
  parseMonthKey,
  utcHour,
  type HourCounts,
  type MonthOfHours,
  type UtcHour,
} from './hours/month-of-hours.ts';
export type { ProductTrend } from './products/product-trend.ts';
export { newProductStats, type ProductStats } from './products/product-stats.ts';
export { bestTitle, type TitleCount } from './products/product-titles.ts';
export { relist, shownTitle, titleKeys, titleListing, type TitleListing } from './products/title-listing.ts';
export { levelOfCode, parseTitleWordKey, queryWords, titleWords, type QueryWords } from './products/title-words.ts';
export { sequenceOf, sessionEventsMax, type Session } from './sessions/session.ts';
export type { SessionWindow, SessionWindows, WindowProduct } from './sessions/session-window.ts';
export { sessionKey } from './sessions/session-key.ts';
export { countSerde, storeSerdes } from './shop-stores.ts';
export { UserErasure, type ErasureStores, type RefusedCounts } from './erasure/user-erasure.ts';
export { interactionSerde, productSerde, shopTopics, shopTopology, type ShopOptions } from './shop-topology.ts';
export { defaultShopParameters, shopParameterRanges, shopParameters, type ShopParameters } from './shop-parameters.ts';
export { storeNames } from './store-names.ts';
export {
  affinityProducts,
  categoryAffinity,
  type CategoryShare,
  type WeightedProduct,
} from './users/category-affinity.ts';
export type { UserProduct, UserProducts } from './users/user-products.ts';
export { recentMax, type RecentProduct, type UserProfile } from './users/user-profile.ts';
