import { Models } from './models.ts';
import type { ModelsOptions } from './models.ts';

const open = new Map<string, { readonly models: Models; users: number }>();

/**
 * The models of these settings, one set of threads for all stages that are at work at once: they share the computer.
 *
 * @returns the models, and what is to be called once they are no longer used: after the last one the threads end
 */
export function useModels(settings: ModelsOptions): {
  readonly models: Models;
  readonly done: () => Promise<void>;
} {
  const key = JSON.stringify([settings.folder, settings.source, settings.threads]);
  const shared = open.get(key) ?? { models: new Models(settings), users: 0 };
  open.set(key, shared);
  shared.users += 1;
  return {
    models: shared.models,
    done: async () => {
      shared.users -= 1;
      if (shared.users > 0) return;
      open.delete(key);
      await shared.models.close();
    },
  };
}
