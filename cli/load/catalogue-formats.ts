import { MillraceError } from '../../schemas/index.ts';
import {
  type AmazonOptions,
  type FirstLine,
  isAmazonProducts,
  isRees46,
  type MappedOptions,
  openAmazonProducts,
  openMappedProducts,
  openRees46Products,
  type ProductSource,
} from '../../sources/index.ts';

/** What the flags say; a format takes some of it. */
export type CatalogueOptions = AmazonOptions & Partial<MappedOptions>;

interface CatalogueFormat {
  readonly open: (path: string, options: CatalogueOptions) => Promise<ProductSource>;
  /** Whether a file that begins so is certainly one. */
  readonly fits: (line: FirstLine) => boolean;
  readonly takes: readonly (keyof CatalogueOptions)[];
}

/** The formats of catalogues, by the name that `--format` takes. */
export const catalogueFormats: { readonly [format: string]: CatalogueFormat } = {
  amazon: { open: openAmazonProducts, fits: isAmazonProducts, takes: ['categoriesPath', 'updatedAtMs'] },
  rees46: { open: openRees46Products, fits: isRees46, takes: [] },
  // Any CSV is one: only the flag tells.
  columns: { open: openByColumns, fits: () => false, takes: ['columns', 'currency', 'decimalMark', 'updatedAtMs'] },
};

const flags: { readonly [option in keyof CatalogueOptions]-?: string } = {
  categoriesPath: '--categories',
  updatedAtMs: '--updated-at',
  columns: '--columns',
  currency: '--currency',
  decimalMark: '--decimal',
};

/**
 * @throws MillraceError `INVALID_ARGUMENT` for a format that nobody knows and for an option that is not the format's; what
 * opening throws.
 */
export function openCatalogue(path: string, format: string, options: CatalogueOptions): Promise<ProductSource> {
  if (!Object.hasOwn(catalogueFormats, format)) {
    const known = Object.keys(catalogueFormats).join(', ');
    throw new MillraceError('INVALID_ARGUMENT', `--format wants one of: ${known}; found '${format}'`, {
      format,
      known,
    });
  }
  const { open, takes } = catalogueFormats[format]!;
  for (const option of Object.keys(options) as (keyof CatalogueOptions)[]) {
    if (takes.includes(option)) continue;
    const flag = flags[option];
    const formats = Object.keys(catalogueFormats).filter((name) => catalogueFormats[name]!.takes.includes(option));
    const reason = `${flag} wants --format ${formats.join(' or ')}, found ${format}`;
    throw new MillraceError('INVALID_ARGUMENT', reason, { flag, format });
  }
  return open(path, options);
}

function openByColumns(path: string, { columns, ...options }: CatalogueOptions): Promise<ProductSource> {
  if (columns !== undefined) return openMappedProducts(path, { columns, ...options });
  throw new MillraceError('INVALID_ARGUMENT', '--format columns wants --columns, as id=asin,title=name; found none');
}
