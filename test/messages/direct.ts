import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { EtsyApi } from '../../lib/etsy/api.ts';
import type { Client } from '../../lib/etsy/client.ts';
import type { Read } from '../../lib/etsy/exchange.ts';
import { describe } from '../../lib/errors.ts';
import { resizeInput } from '../../lib/models/onnx.ts';
import { decode } from '../../lib/models/pictures.ts';
import { openRegular, openToAppend } from '../../lib/store/files.ts';
import { quantise } from '../../lib/vectors/quantise.ts';
import type { Folder, Row } from './row.ts';

// Messages of one function each, which is called as its callers do.

function thrown(when: string, work: (folder: Folder) => unknown, text: readonly [string, ...string[]]): Row {
  const provoke: Row['provoke'] = async (folder) => {
    const error: unknown = await Promise.resolve()
      .then(() => work(folder))
      .then(
        () => 'nothing went wrong',
        (reason: unknown) => reason,
      );
    const isPlain = error instanceof Error && !('hint' in error);
    return { text: isPlain ? error.message : describe(error) };
  };
  return { when, provoke, text, next: text.at(-1) ?? '' };
}

/** An API that answers with this. */
function answering(body: unknown): EtsyApi {
  const get = (_path: string, _query: object, accept: (read: Read) => unknown): Promise<unknown> =>
    Promise.resolve().then(() => accept(() => body));
  return new EtsyApi({ get } as unknown as Client);
}

const MOVE = 'Move it away, then start sync-data again.';
const fifo = ({ path }: Folder): string => {
  execFileSync('mkfifo', [join(path, 'it')]);
  return join(path, 'it');
};

export const direct: readonly Row[] = [
  thrown('a pipe in the place of a file', (folder) => openRegular(fifo(folder), 'refuse'), [
    '<folder>/it is a pipe, not a file',
    MOVE,
  ]),
  thrown('a device in the place of a file', () => openRegular('/dev/null', 'follow'), [
    '/dev/null is a device, not a file',
    MOVE,
  ]),
  thrown('a pipe in the place of a file to append to', (folder) => openToAppend(fifo(folder), 0o644), [
    '<folder>/it is a pipe, a socket or a device, not a file',
    MOVE,
  ]),
  thrown('another shop than was asked for', () => answering({ shop_id: 6, shop_name: 'S' }).shop(5), [
    'shops/5: not a shop record: shop_id: is another than 5',
  ]),
  {
    when: 'a review of another shop than was asked for',
    provoke: async () => {
      const review = {
        shop_id: 6,
        listing_id: 1,
        transaction_id: 7,
        rating: 5,
        create_timestamp: 1_700_000_000,
      };
      const page = await answering({ count: 1, results: [review] }).reviews(5, { offset: 0 });
      return { text: (page?.rejected ?? []).map(({ reason }) => reason).join('\n') };
    },
    text: ["shop_id: is another shop's than 5, which was asked for"],
    next: "shop_id: is another shop's than 5, which was asked for",
  },
  thrown('a picture of 21 MB', () => decode(Buffer.alloc(21_000_000)), [
    'the file has 21000000 bytes, at most 20971520 are read',
  ]),
  thrown('a model that is none', () => resizeInput(Buffer.from('no model at all'), 1, 2), [
    'The file is no ONNX model, or it is damaged.',
    'Use the file that sync-data fetches by itself, or another model.',
  ]),
  thrown('a vector of twelve dimensions', () => quantise(Array(12).fill(1), 12), [
    '12 dimensions, expected a multiple of 8 up to 8192',
  ]),
  thrown('a vector of other dimensions', () => quantise([1, 2], 8), ['2 values, expected 8']),
  thrown('a vector with a value that is none', () => quantise([NaN, 1, 1, 1, 1, 1, 1, 1], 8), [
    'value 0 is NaN, expected a finite number',
  ]),
  thrown('a vector without a direction', () => quantise(Array(8).fill(0), 8), [
    'no direction: its values are all 0, or too large',
  ]),
];
