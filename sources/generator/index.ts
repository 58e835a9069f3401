/** A shop that never was: interactions over any catalogue. */
export { type CatalogueEntry, CatalogueIndex } from './catalogue-index.ts';
export { type GeneratedMinute, InteractionStream } from './interaction-stream.ts';
export { generatorDefaults, type GeneratorParameters } from './parameters.ts';
