import type { Job } from '../../lib/models/jobs.ts';
import type { Models } from '../../lib/models/models.ts';
import { megabytes } from '../../lib/text/format.ts';

/** How often the progress of a download is shown. Milliseconds. */
const TELL_MS = 500;

/**
 * Makes a model ready for its jobs, and says how far it is where it has to be fetched.
 * @throws ModelError; the reason of `stop` once that is aborted
 */
export async function* readyModel(
  models: Models,
  work: Job['work'],
  name: string,
  stop: AbortSignal,
): AsyncGenerator<{ readonly progress: { readonly note: string } }, void, undefined> {
  let told = '';
  let state = 'waiting' as 'waiting' | 'ready' | { readonly error: unknown };
  const progress = (bytes: number, of: number): void => {
    told = `fetching the model ${name}: ${megabytes(bytes)} of ${megabytes(of)}`;
  };
  const ready = models.ready(work, name, { signal: stop, progress }).then(
    () => void (state = 'ready'),
    (error: unknown) => void (state = { error }),
  );
  for (let shown = ''; state === 'waiting';) {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ready, new Promise((resolve) => (timer = setTimeout(resolve, TELL_MS)))]);
    clearTimeout(timer);
    if (told === shown || state !== 'waiting') continue;
    shown = told;
    yield { progress: { note: told } };
  }
  if (state !== 'ready') throw state.error;
}
