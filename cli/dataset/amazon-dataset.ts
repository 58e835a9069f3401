import { fileURLToPath } from 'node:url';

/** The sample of Amazon Products 2023, at the same place beside the sources and beside the built files. */
export const shippedCatalogue = fileURLToPath(
  new URL('../../data/amazon-products-2023/amazon_products_us_sample_4960.csv.br', import.meta.url),
);
