import { MOST_IMAGE_BYTES, MOST_PICTURE_PIXELS } from '../limits.ts';

/** Of a picture, in pixels, as its first bytes say; nothing is decoded. Before EXIF turns it. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** @returns undefined where it is no JPEG, PNG or WebP, or says nothing of its size where these do */
export function pictureSize(bytes: Uint8Array): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint16(0) === 0xffd8) return jpegSize(view);
    if (view.getUint32(0) === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (word(view, 0) === 'RIFF' && word(view, 8) === 'WEBP') return webpSize(view);
  } catch (error) {
    // It ends before it has said so.
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/** Part by part, to the one that begins the picture itself. */
function jpegSize(view: DataView): PictureSize | undefined {
  for (let at = 2; view.getUint8(at) === 0xff;) {
    const kind = view.getUint8(at + 1);
    const isFrame = kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind);
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    // Fill bytes, and markers without a part of their own.
    if (kind === 0xff) at += 1;
    else if (kind === 0x01 || (kind >= 0xd0 && kind <= 0xd8)) at += 2;
    else at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

function webpSize(view: DataView): PictureSize | undefined {
  switch (word(view, 12)) {
    case 'VP8X':
      return { width: 1 + triple(view, 24), height: 1 + triple(view, 27) };
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
    }
    case 'VP8 ':
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    default:
      return undefined;
  }
}

function triple(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

function word(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((byte) => view.getUint8(at + byte)));
}

/** Why a picture is not decoded, from what its first bytes say; undefined: it may be. */
export function tooLarge(bytes: Uint8Array): string | undefined {
  if (bytes.length > MOST_IMAGE_BYTES)
    return `the file has ${bytes.length} bytes, at most ${MOST_IMAGE_BYTES} are read`;
  const { width, height } = pictureSize(bytes) ?? { width: 0, height: 0 };
  if (width * height <= MOST_PICTURE_PIXELS) return undefined;
  return `the picture has ${width} × ${height} pixels, at most ${MOST_PICTURE_PIXELS} are read`;
}
