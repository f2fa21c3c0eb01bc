import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { jpegOf } from './bomb.ts';

/** A picture in the images folder, or one that somebody searches with. */
export interface PictureBomb {
  readonly name: string;
  readonly bytes: () => Promise<Buffer> | Buffer;
}

const flat = (side: number, background = 'white'): ReturnType<typeof sharp> =>
  sharp({ create: { width: side, height: side, channels: 3, background }, limitInputPixels: false });
const noise = (side: number): ReturnType<typeof sharp> =>
  sharp({
    create: {
      width: side,
      height: side,
      channels: 3,
      background: 'white',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  });

/** The last scan of a progressive picture so often that decoding never comes to an end. */
async function scans(times: number): Promise<Buffer> {
  const whole = await flat(5000).jpeg({ progressive: true }).toBuffer();
  const last = whole.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = whole.subarray(last, -2);
  return Buffer.concat([
    whole.subarray(0, last),
    Buffer.concat(Array<Buffer>(times).fill(scan)),
    whole.subarray(-2),
  ]);
}

/** With other sizes in its header than it has. */
async function claiming(width: number, height: number): Promise<Buffer> {
  const bytes = await flat(64).jpeg().toBuffer();
  const at = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(height, at + 5);
  bytes.writeUInt16BE(width, at + 7);
  return bytes;
}

/** One bit a pixel: 110 kB of it. */
function blackPng(side: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([size, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head[8] = 1;
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.alloc((Math.ceil(side / 8) + 1) * side))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

export const pictures: readonly PictureBomb[] = [
  { name: 'a JPEG of 25 megapixels', bytes: () => noise(5000).jpeg({ quality: 60 }).toBuffer() },
  {
    name: 'a JPEG of 25 megapixels, progressive',
    bytes: () => flat(5000, 'teal').jpeg({ progressive: true }).toBuffer(),
  },
  {
    name: 'a JPEG of 6 megapixels in four colours',
    bytes: () => flat(2500).toColourspace('cmyk').jpeg().toBuffer(),
  },
  {
    name: 'a JPEG of 25 megapixels in four colours',
    bytes: () => flat(5000).toColourspace('cmyk').jpeg().toBuffer(),
  },
  {
    name: 'a JPEG of 25 by 1 megapixel',
    bytes: () =>
      sharp({ create: { width: 65_000, height: 380, channels: 3, background: 'red' } })
        .jpeg()
        .toBuffer(),
  },
  { name: 'a JPEG with 100,000 scans', bytes: () => scans(100_000) },
  { name: 'a JPEG that claims 4 gigapixels', bytes: () => claiming(65_000, 65_000) },
  { name: 'a JPEG that claims 25 megapixels', bytes: () => claiming(5000, 5000) },
  { name: 'a JPEG of 19 MB of segments', bytes: () => jpegOf(Buffer.from('ffe00002'.repeat(4.7e6), 'hex')) },
];

export const uploads: readonly PictureBomb[] = [
  ...pictures,
  { name: 'a PNG of 25 megapixels', bytes: () => flat(5000).png({ compressionLevel: 9 }).toBuffer() },
  { name: 'a PNG of 900 megapixels', bytes: () => blackPng(30_000) },
  { name: 'a WebP of 25 megapixels', bytes: () => flat(5000).webp({ lossless: true }).toBuffer() },
];
