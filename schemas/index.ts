/** Schemas: how values become bytes, and the errors everything shares. */
export { avroSerde, type AvroSerdeOptions } from './avro-serde.ts';
export { confluentRegistry, type ConfluentRegistryOptions } from './confluent-registry.ts';
export { openEmbeddedRegistry } from './embedded-registry.ts';
export * from './errors.ts';
export * from './interaction.ts';
export * from './product.ts';
export type * from './registry.ts';
export type { Serde } from './serde.ts';
export * from './serdes.ts';
export { isInvalidField, type InvalidField } from './validated-field.ts';
