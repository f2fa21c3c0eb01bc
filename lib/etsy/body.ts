export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/**
 * Reads a body, but never more than `limit` bytes into memory.
 *
 * @throws BodyTooLarge as soon as the announced or the actual size passes the limit
 * @throws Error when the body ends before the announced length (a proxy cut it)
 */
export async function readBody(response: Response, limit: number): Promise<Buffer> {
  const encoded = response.headers.has('content-encoding');
  const announced = Number(response.headers.get('content-length') ?? NaN);
  const mebibytes = `${Math.round(limit / 1024 / 1024)} MB`;
  if (announced > limit) {
    await response.body?.cancel();
    throw new BodyTooLarge(`the body has ${announced} bytes, more than the ${mebibytes} allowed`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).byteLength;
    if (size > limit) throw new BodyTooLarge(`the body is larger than the ${mebibytes} allowed`);
    chunks.push(chunk as Uint8Array);
  }
  if (!encoded && Number.isFinite(announced) && size < announced) {
    throw new Error(`the body ended after ${size} of ${announced} bytes`);
  }
  return Buffer.concat(chunks, size);
}
