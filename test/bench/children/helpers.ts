import { setMaxListeners } from 'node:events';
import { Models } from '../../../lib/models/models.ts';
import { redisAddress } from '../../../lib/workers/address.ts';
import { Helper } from '../../../lib/workers/helper.ts';
import { stubPool } from '../stub-pool.ts';

/** Workers without a model, all in this process, until it is ended. */
export async function main(input: { url: string; count: number; milliseconds: number }): Promise<void> {
  const address = redisAddress(input.url);
  if (!address) throw new Error(`no address: ${input.url}`);
  const known = new Models({ folder: 'models' });
  const never = new AbortController().signal;
  setMaxListeners(0, never);
  const work = async (_: unknown, at: number): Promise<void> => {
    const pool = stubPool(input.milliseconds);
    const models = {
      identity: known.identity.bind(known),
      ready: () => Promise.resolve(),
      loadable: () => ({}),
      threads: () => Promise.resolve(pool),
    } as unknown as Models;
    const helper = await Helper.open({
      address,
      password: undefined,
      models,
      accelerated: models,
      name: `stub ${at + 1}`,
      tell: (message) => void process.stderr.write(process.env.BENCH_TELLS ? `${message}\n` : ''),
      devices: { candidates: [] },
    });
    await helper.work(never);
  };
  await Promise.all(Array.from({ length: input.count }, work));
}
