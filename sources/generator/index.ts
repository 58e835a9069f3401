/** A shop that never was: interactions over any catalogue. */
export { type CatalogueEntry, CatalogueIndex } from './catalogue-index.ts';
export { generatedSource, type GeneratedSourceOptions, type GeneratorClock } from './generated-source.ts';
export { type GeneratedMinute, InteractionStream } from './interaction-stream.ts';
export { generatorDefaults, minuteMs, type GeneratorParameters } from './parameters.ts';
