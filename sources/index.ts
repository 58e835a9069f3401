/** Sources: where events and products come from. */
export type * from './event-source.ts';
export { type AmazonOptions, isAmazonProducts, openAmazonProducts } from './catalogue/amazon-products.ts';
export { type ColumnMap, type MappedField, parseColumnMap } from './catalogue/column-map.ts';
export { ingestProducts, type IngestProductsOptions, productRecord } from './catalogue/ingest-products.ts';
export { type MappedOptions, openMappedProducts } from './catalogue/mapped-products.ts';
export type * from './catalogue/product-source.ts';
export { openRees46Products } from './catalogue/rees46-products.ts';
export * from './generator/index.ts';
export { type FirstLine, readFirstLine } from './first-line.ts';
export { isMillraceEvents, openMillraceEvents } from './millrace-events.ts';
export { isOtto, openOtto } from './otto.ts';
export { interactionKey } from './partitioning.ts';
export { isRees46, openRees46 } from './rees46.ts';
export { isRetailRocket, openRetailRocket } from './retail-rocket.ts';
export { isYoochooseClicks, openYoochooseClicks } from './yoochoose-clicks.ts';
export { isUciOnlineRetail, openUciOnlineRetail, readUciOnlineRetail, uciServiceCodes } from './uci-online-retail.ts';
export type { DecimalMark } from './written-number.ts';
export {
  deadLetterRecord,
  eventRecord,
  ingest,
  type IngestOptions,
  type IngestProgress,
  type IngestTarget,
} from './ingest.ts';
