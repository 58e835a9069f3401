import type { Interaction } from '../../schemas/index.ts';
import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import { storeNames } from '../store-names.ts';
import { addUserProduct, countsForUser, type UserProducts } from './user-products.ts';
import { addToProfile, newUserProfile, type UserProfile } from './user-profile.ts';

/** Clean interactions by user → profiles, and what each user cared about. The key is the user's id; anonymous events don't come here. */
export class UserProcessor implements Processor<string, Interaction> {
  #profiles!: KeyValueStore<string, UserProfile>;
  #products!: KeyValueStore<string, UserProducts>;

  init(context: ProcessorContext): void {
    this.#profiles = context.getStateStore(storeNames.userProfiles);
    this.#products = context.getStateStore(storeNames.userProducts);
  }

  async load(records: readonly Record<string, Interaction>[]): Promise<void> {
    const users = new Set(records.map(({ key }) => key));
    const interested = new Set<string>();
    for (const { key, value } of records) if (countsForUser(value)) interested.add(key);
    await Promise.all([this.#profiles.load(users), this.#products.load(interested)]);
  }

  process({ key, value }: Record<string, Interaction>): void {
    const profile = this.#profiles.getLoaded(key) ?? newUserProfile();
    addToProfile(profile, value);
    this.#profiles.put(key, profile);
    if (!countsForUser(value)) return;
    const products = this.#products.getLoaded(key) ?? [];
    addUserProduct(products, value);
    this.#products.put(key, products);
  }
}
