import type { Interaction } from '../../schemas/index.ts';
import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import { storeNames } from '../store-names.ts';
import { addToProfile, newUserProfile, type UserProfile } from './user-profile.ts';

/** Clean interactions by user → profiles. The key is the user's id; anonymous events don't come here. */
export class UserProcessor implements Processor<string, Interaction> {
  #profiles!: KeyValueStore<string, UserProfile>;

  init(context: ProcessorContext): void {
    this.#profiles = context.getStateStore(storeNames.userProfiles);
  }

  async load(records: readonly Record<string, Interaction>[]): Promise<void> {
    await this.#profiles.load(new Set(records.map(({ key }) => key)));
  }

  process({ key, value }: Record<string, Interaction>): void {
    const profile = this.#profiles.getLoaded(key) ?? newUserProfile();
    addToProfile(profile, value);
    this.#profiles.put(key, profile);
  }
}
