import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { MOST_PICTURE_PIXELS } from '../limits.ts';
import type { Cutout } from './jobs.ts';
import { tooLarge } from './picture-size.ts';
import type { CutoutModel, EmbeddingModel, Pixels } from './registry.ts';

// How a picture becomes what a model is given, and what a model says becomes a cutout. Runs in the model's thread alone:
// whatever a file makes the decoder do, the main thread does not wait for it.

sharp.concurrency(1);
sharp.cache(false);
// Three decoders, and none that reads more than the bytes it is given.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
});

/** A longer side is made so long while it is decoded: no model sees more, and a JPEG then costs a tenth. Pixels. */
const LONGEST = 2048;
/** Of 1. */
const HAZE = 0.06;
/** Of 255: what is fainter does not count to the box. */
const FAINT = 90;
const SOLID = 128;

/** 8 bits for each of red, green, blue (and alpha where `channels` is 4), row by row. */
export interface Raster {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/** Turned upright as its EXIF says, and 2048 pixels long at most. @throws Error with a reason where the file is too large or cannot be decoded */
export async function decode(bytes: Uint8Array): Promise<Raster> {
  const fault = tooLarge(bytes);
  if (fault !== undefined) throw new Error(fault);
  const image = sharp(bytes, { limitInputPixels: MOST_PICTURE_PIXELS, failOn: 'warning' });
  const { width, height, space } = await image.metadata();
  // Turning the four colours of a print into three costs four times as much.
  const most = space === 'cmyk' ? MOST_PICTURE_PIXELS / 4 : MOST_PICTURE_PIXELS;
  if (width * height > most)
    throw new Error(`the picture has ${width} × ${height} pixels, at most ${most} are read`);
  const { data, info } = await image
    .rotate()
    .resize({ width: LONGEST, height: LONGEST, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { channels } = info;
  if (channels === 3 || channels === 4) return { data, width: info.width, height: info.height, channels };
  const colours = sharp(data, { raw: info }).toColourspace('srgb');
  const opaque = await colours.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data: opaque.data, width: info.width, height: info.height, channels: 3 };
}

function sharpOf({ data, width, height, channels }: Raster): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: MOST_PICTURE_PIXELS });
}

/** Red plane, green plane, blue plane. */
export function planes(rgb: Uint8Array, { mean, deviation }: Pixels): Float32Array {
  const size = rgb.length / 3;
  const values = new Float32Array(rgb.length);
  for (let channel = 0; channel < 3; channel += 1) {
    const scale = 1 / (255 * (deviation[channel] ?? 1));
    const shift = (mean[channel] ?? 0) / (deviation[channel] ?? 1);
    for (let at = 0, from = channel; at < size; at += 1, from += 3) {
      values[channel * size + at] = (rgb[from] ?? 0) * scale - shift;
    }
  }
  return values;
}

/** Where a picture is in the square that a model for cutouts is given. */
function placeOf(
  { width, height }: Pick<Raster, 'width' | 'height'>,
  { pixels: { size }, fit }: CutoutModel,
) {
  if (fit === 'squeeze') return { left: 0, top: 0, width: size, height: size };
  const scale = size / Math.max(width, height);
  const [wide, high] = [width, height].map((side) => Math.max(1, Math.round(side * scale))) as [
    number,
    number,
  ];
  return { left: (size - wide) >> 1, top: (size - high) >> 1, width: wide, height: high };
}

/** The whole picture in the model's square. */
export async function squareOf(picture: Raster, model: CutoutModel): Promise<Float32Array> {
  const { size } = model.pixels;
  const { left, top, width, height } = placeOf(picture, model);
  const opaque =
    picture.channels === 4 ? sharpOf(picture).flatten({ background: 'white' }) : sharpOf(picture);
  const square = opaque
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .extend({ left, top, right: size - width - left, bottom: size - height - top, extendWith: 'copy' });
  return planes(await square.raw().toBuffer(), model.pixels);
}

/**
 * @param mask 0 to 1, of the model's square, row by row
 * @param limits of the cover: less or more is kept whole
 */
export async function cutOut(
  picture: Raster,
  mask: Float32Array,
  model: CutoutModel,
  [least, most]: readonly [number, number],
): Promise<Cutout> {
  const { width, height, channels } = picture;
  const { size } = model.pixels;
  // What is nearly nothing is nothing, and what is nearly all is all: a haze over the whole picture is seen.
  const small = Buffer.from(
    Uint8Array.from(mask, (value) =>
      Math.round(Math.min(1, Math.max(0, (value - HAZE) / (1 - 2 * HAZE))) * 255),
    ),
  );
  const alpha = await sharp(small, { raw: { width: size, height: size, channels: 1 } })
    .extract(placeOf(picture, model))
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .extractChannel(0)
    .raw()
    .toBuffer();
  const { cover, box } = measure(alpha, width, height);
  if (cover < least || cover > most)
    return { state: 'whole', webp: new Uint8Array(), cover, box: [0, 0, width, height] };
  const rgba = Buffer.alloc(width * height * 4);
  for (let at = 0; at < width * height; at += 1) {
    const opacity = alpha[at] ?? 0;
    if (opacity === 0) continue;
    rgba[at * 4] = picture.data[at * channels] ?? 0;
    rgba[at * 4 + 1] = picture.data[at * channels + 1] ?? 0;
    rgba[at * 4 + 2] = picture.data[at * channels + 2] ?? 0;
    rgba[at * 4 + 3] = opacity;
  }
  const webp = await sharpOf({ data: rgba, width, height, channels: 4 })
    .webp({ quality: 85, alphaQuality: 90, effort: 2 })
    .toBuffer();
  return { state: 'done', webp, cover, box };
}

function measure(alpha: Uint8Array, width: number, height: number): Pick<Cutout, 'cover' | 'box'> {
  let solid = 0;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 1) {
      const opacity = alpha[at] ?? 0;
      if (opacity >= SOLID) solid += 1;
      if (opacity < FAINT) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  const box =
    right < 0 ? ([0, 0, width, height] as const) : ([left, top, right - left + 1, bottom - top + 1] as const);
  return { cover: solid / (width * height), box };
}

/**
 * A cutout is trimmed to what is left of it and set on white, all of it inside the square; a picture without alpha is
 * fitted as the model learned it.
 */
export async function vectorInput(picture: Raster, model: EmbeddingModel): Promise<Float32Array> {
  const { pixels, fit } = model;
  const { size } = pixels;
  const kernel = 'cubic';
  const rgb = async (image: Sharp): Promise<Float32Array> => planes(await image.raw().toBuffer(), pixels);
  if (picture.channels === 4) {
    const alpha = Uint8Array.from(
      { length: picture.width * picture.height },
      (_, at) => picture.data[at * 4 + 3] ?? 0,
    );
    const [left, top, width, height] = measure(alpha, picture.width, picture.height).box;
    const trimmed = await sharpOf(picture)
      .extract({ left, top, width, height })
      .flatten({ background: 'white' })
      .raw()
      .toBuffer();
    const box: Raster = { data: trimmed, width, height, channels: 3 };
    return rgb(sharpOf(box).resize(size, size, { fit: 'contain', background: 'white', kernel }));
  }
  if (fit.how === 'squeeze') return rgb(sharpOf(picture).resize(size, size, { fit: 'fill', kernel }));
  const { width, height } = picture;
  const scale = fit.of / Math.min(width, height);
  const [wide, high] = [
    Math.max(size, Math.round(width * scale)),
    Math.max(size, Math.round(height * scale)),
  ];
  const scaled = await sharpOf(picture).resize(wide, high, { fit: 'fill', kernel }).raw().toBuffer();
  const middle = { left: (wide - size) >> 1, top: (high - size) >> 1, width: size, height: size };
  return rgb(sharpOf({ data: scaled, width: wide, height: high, channels: 3 }).extract(middle));
}
