import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import { seedDevelopment } from './seed.ts';
import type { StackOptions } from './stack/stack.ts';

/** What makes the bare stack this product: its search attributes and its development data. */
export const product = {
  searchAttributes: Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [name, 'Keyword' as const])),
  prepare: seedDevelopment,
} satisfies Partial<StackOptions>;
