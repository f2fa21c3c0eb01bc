/** What the CDN sends for a removed listing is smaller; no photograph of 570 pixels is. */
export const MIN_IMAGE_BYTES = 1024;

const NO_END = 'the end of the JPEG is missing';
const [MARKER, START, END, SCAN] = [0xff, 0xd8, 0xd9, 0xda];

/** What is wrong with a file as a JPEG, from its size and its ends; undefined: complete. */
export function jpegFault(size: number, start: Uint8Array, end: Uint8Array): string | undefined {
  if (size === 0) return 'empty';
  if (!(start[0] === MARKER && start[1] === START && start[2] === MARKER)) return 'not a JPEG';
  if (size < MIN_IMAGE_BYTES) return `only ${size} bytes, a placeholder`;
  if (!(end.at(-2) === MARKER && end.at(-1) === END)) return NO_END;
  return undefined;
}

/** Whether what `jpegFault` found may only be something behind the image: padding, what a camera or an editor adds. */
export function mayHaveTrailer(fault: string | undefined): boolean {
  return fault === NO_END;
}

/** What is wrong with a whole file as a JPEG; undefined: complete, whatever follows its end. */
export function faultOfJpeg(bytes: Uint8Array): string | undefined {
  const fault = jpegFault(bytes.length, bytes.subarray(0, 3), bytes.subarray(-2));
  return mayHaveTrailer(fault) && hasEnd(bytes) ? undefined : fault;
}

/**
 * Whether the image itself ends. Its head is walked part by part first: it may contain a preview, a JPEG with an
 * end of its own. Within the picture the bytes of the end marker stand for nothing else.
 */
function hasEnd(bytes: Uint8Array): boolean {
  let at = 2;
  while (bytes[at] === MARKER && bytes[at + 1] !== END) {
    const kind = bytes[at + 1] ?? 0;
    // Fill bytes before a marker, and markers without a part of their own.
    if (kind === MARKER) at += 1;
    else if (kind === 0x01 || (kind >= 0xd0 && kind <= START)) at += 2;
    else {
      const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      at += 2 + length;
      if (kind === SCAN) break;
    }
  }
  for (let end = bytes.indexOf(END, at + 1); end > 0; end = bytes.indexOf(END, end + 1)) {
    if (bytes[end - 1] === MARKER) return true;
  }
  return false;
}
