import { fileURLToPath } from 'node:url';
import type { ExampleQuery } from './examples.ts';
import { getJson } from './examples.ts';

/** The sample of Amazon Products 2023, at the same place beside the sources and beside the built files. */
export const shippedCatalogue = fileURLToPath(
  new URL('../../data/amazon-products-2023/amazon_products_us_sample_4960.csv.br', import.meta.url),
);

export const amazonDataset = {
  name: 'amazon',
  title: 'Amazon Products 2023',
  /** When the published file was made. Fixed, so that loading it again changes nothing. */
  updatedAtMs: Date.UTC(2023, 9, 1),
} as const;

const dayMs = 86_400_000;

/** Look-ups about what is trending in the shop just now, of which a generated shop has always something else. */
export async function amazonExamples(url: string, nowMs: number): Promise<readonly ExampleQuery[]> {
  const trending = (await getJson(`${url}/v1/trending?limit=20`)) as Items;
  const { id, category } = await firstWithCategory(url, trending);
  const [from, to] = [nowMs - dayMs, nowMs + dayMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
  const ofProduct = { what: 'Products like the one that trends most', path: `/v1/products/${id}/similar?limit=3` };
  const ofUser = {
    what: 'Recommendations for the user who comes most often',
    path: '/v1/users/u0/recommendations?limit=3',
  };
  if (id === undefined) return [ofUser];
  if (category === undefined) return [ofProduct, ofUser];
  const inPath = encodeURIComponent(category).replaceAll("'", '%27');
  return [
    ofProduct,
    ofUser,
    { what: `What trends in ${category}`, path: `/v1/trending?category=${inPath}&limit=3` },
    {
      what: 'Yesterday and today in that category, and its funnel from view to purchase',
      path: `/v1/categories/${inPath}/stats?window=day&from=${from}&to=${to}`,
    },
  ];
}

interface Items {
  readonly items: readonly { readonly id: string }[];
}

/** A product without a category has no figures by category. */
async function firstWithCategory(url: string, { items }: Items): Promise<{ id?: string; category?: string }> {
  for (const { id } of items) {
    const { category } = (await getJson(`${url}/v1/products/${id}`)) as { readonly category: string | null };
    if (category !== null) return { id, category };
  }
  return items[0] ?? {};
}
