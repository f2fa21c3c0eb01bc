/** The parts of a CDN URL that image_metadata.json keeps; neither hex nor suffix can be derived from the image id. */
export interface ImageParts {
  readonly hex: string;
  readonly suffix: string;
}

/** From https://i.etsystatic.com/{n}/r/il/{hex}/{image_id}/il_570xN.{image_id}_{suffix}.jpg; undefined for another shape. */
export function imageParts(url: string): ImageParts | undefined {
  const match = /\/il\/([a-f0-9]+)\/\d+\/il_[^./]+\.\d+_([a-z0-9]+)\.jpg(?:$|\?)/.exec(url);
  return match?.[1] && match[2] ? { hex: match[1], suffix: match[2] } : undefined;
}

/** The number of the image in a CDN URL; undefined for another shape. */
export function imageNumber(url: string): number | undefined {
  const match = /\/(\d+)\/il_[^./]+\.(\d+)_[a-z0-9]+\.jpg(?:$|\?)/.exec(url);
  return match && match[1] === match[2] ? Number(match[1]) : undefined;
}

/** The URL of an image of which only its parts are on record, in the size that is kept. */
export function imageUrl(host: string, shopId: number, imageId: number, { hex, suffix }: ImageParts): string {
  const scheme = LOCAL.includes(host.replace(/:\d+$/, '')) ? 'http' : 'https';
  return `${scheme}://${host}/${shopId}/r/il/${hex}/${imageId}/il_570xN.${imageId}_${suffix}.jpg`;
}

const LOCAL = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Whether an image may be fetched from `url`: a host of the list, over HTTPS (plain HTTP on this machine only).
 * An entry without a port allows any port of that host.
 */
export function allowedHost(url: string, hosts: readonly string[]): boolean {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return false;
  }
  const local = LOCAL.includes(parsed.hostname);
  if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && local)) return false;
  if (parsed.username || parsed.password) return false;
  return hosts.some((host) => host.toLowerCase() === parsed.host || host.toLowerCase() === parsed.hostname);
}
