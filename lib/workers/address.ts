import { isIP } from 'node:net';

/** Where a Redis or Valkey is. Holds no secret. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Of the databases that a Redis has by number: one for each dataset. */
  readonly db: number;
  /** rediss:// — its certificate is verified. */
  readonly isEncrypted: boolean;
  /** For messages. */
  readonly text: string;
}

export const PASSWORD = 'SYNC_DATA_REDIS';
export const ADDRESS_FORM = `an address such as redis://imac.local:6379 (its password belongs into ${PASSWORD})`;
const DEFAULT_PORT = 6379;
const PATTERN = /^(rediss?):\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?(?:\/([0-9]{1,2})?)?$/;
/** For the schema that editors read. */
export const ADDRESS_PATTERN = PATTERN.source;

/** @returns undefined where it is not such an address, or holds a name or password */
export function redisAddress(text: string): RedisAddress | undefined {
  const [whole, scheme, host = '', port = String(DEFAULT_PORT), db = '0'] = PATTERN.exec(text) ?? [];
  if (whole === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  const bare = host.replace(/^\[|\]$/g, '');
  return {
    host: bare,
    port: Number(port),
    db: Number(db),
    isEncrypted: scheme === 'rediss',
    text: `${scheme ?? ''}://${host}:${port}${db === '0' ? '' : `/${db}`}`,
  };
}

/**
 * Why this address is not used, with what to do; undefined: it may be. Whoever may reach the port of a Redis without a
 * password can read and change everything in it; without encryption only a home network is near enough.
 */
export function refusalOf(
  { host, text, isEncrypted }: RedisAddress,
  hasPassword: boolean,
): { readonly message: string; readonly hint: string } | undefined {
  if (isLoopback(host)) return undefined;
  if (!hasPassword)
    return {
      message: `${text} can be reached from other computers, and there is no password for it.`,
      hint: `Set a password in redis.conf (requirepass), and put ${PASSWORD}=password into .env or the environment, on every computer.`,
    };
  if (isEncrypted || isAtHome(host)) return undefined;
  return {
    message: `${text} is not in a home network, and redis:// is not encrypted.`,
    hint: 'Use rediss://, with a certificate that this computer trusts.',
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Addresses that are not routed, and names that only a home network gives. */
function isAtHome(host: string): boolean {
  const kind = isIP(host);
  if (kind === 4) return /^(?:10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\./.test(host);
  if (kind === 6) return /^f(?:[cd]|e[89ab])/i.test(host);
  return !host.includes('.') || /\.(?:local|lan|home\.arpa)$/i.test(host);
}
