/** Bodies that are not what they should be. */
import { jsonBody } from './bytes.ts';

const LEAST_TOO_LARGE = 51 * 2 ** 20;

/** One record of a page made wrong, in one of several ways; a body without records stays as it is. */
export function badRecord(body: Buffer, variant: number): Buffer {
  const parsed = JSON.parse(body.toString()) as { results?: Record<string, unknown>[] };
  const records = parsed.results ?? [];
  const record = records[Math.floor(variant * records.length)];
  if (!record) return body;
  const isReview = 'transaction_id' in record;
  switch (Math.floor(variant * 1000) % 4) {
    case 0:
      record[isReview ? 'transaction_id' : 'listing_id'] = 'not a number';
      break;
    case 1:
      for (const field of isReview ? ['create_timestamp', 'created_timestamp'] : ['price'])
        delete record[field];
      break;
    case 2:
      record['shop_id'] = null;
      break;
    default:
      record[isReview ? 'rating' : 'title'] = { unexpected: [true] };
  }
  return jsonBody(parsed);
}

interface Records {
  results?: Record<string, unknown>[];
}

/** Numbers as text and flags as 0 and 1, as Etsy was seen to send them; what a record cannot do without stays. */
export function oddFields(body: Buffer): Buffer {
  const parsed = JSON.parse(body.toString()) as Records;
  for (const record of parsed.results ?? []) {
    for (const [name, value] of Object.entries(record)) {
      if (name.endsWith('_id')) continue;
      if (typeof value === 'number') record[name] = String(value);
      if (typeof value === 'boolean') record[name] = value ? 1 : 0;
    }
  }
  return jsonBody(parsed);
}

export function otherImage(body: Buffer): Buffer {
  const parsed = JSON.parse(body.toString()) as Records;
  for (const { images } of parsed.results ?? []) {
    const [first] = (images ?? []) as Record<string, unknown>[];
    if (typeof first?.['url_570xN'] === 'string')
      first['url_570xN'] = first['url_570xN'].replaceAll(String(first['listing_image_id']), '987654321');
  }
  return jsonBody(parsed);
}

export function wrongShape(variant: number): Buffer {
  const shapes = ['{"results":{"0":{}},"count":"many"}', '[]', 'null', '{"ok":true}', '{"count":3}'];
  return Buffer.from(shapes[Math.floor(variant * shapes.length)] ?? '[]');
}

export function invalidJson(body: Buffer, variant: number): Buffer {
  if (variant >= 0.5) return Buffer.concat([Buffer.from('Notice: undefined index\n'), body]);
  return Buffer.concat([body.subarray(0, Math.floor(body.length * variant)), Buffer.from(',}')]);
}

export const HTML_PAGE = Buffer.from(
  '<!DOCTYPE html><html><head><title>Etsy</title></head><body><h1>Uh oh!</h1><p>Something went wrong.</p></body></html>',
);

/** Valid JSON that only its size speaks against. */
export function tooLarge(body: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, -1), Buffer.alloc(LEAST_TOO_LARGE, ' '), body.subarray(-1)]);
}

/** Starts and ends like a JPEG, and goes on for 21 MB. */
export function hugePicture(jpeg: Buffer): Buffer {
  return Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(21 * 2 ** 20, 0x5a), jpeg.subarray(-2)]);
}
