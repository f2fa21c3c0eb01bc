// What looks like a secret, where nobody can say whether it is one: it is not shown either.

/** After a word for it, on the same line: "api_key: …", "?token=…", "ETSY_API_KEY=…". */
const NAMED =
  /((?:key|secret|token|passw(?:or)?d|authorization)["']?[ \t]*[:=][ \t]*(?:bearer[ \t]+|basic[ \t]+)?)([^\s,}\]&]+[^\r\n,}\]&]*)/gi;
/** In front of the host of an address. */
const USERINFO = /(:\/\/)([^\s/@"']+(?=@))/g;
/** In front of that of a Redis: a password typed there may hold anything. */
const REDIS = /(rediss?:\/\/)([^\s"']+(?=@))/gi;
/** Of the form of a keystring, with or without the shared secret. */
const KEY_SHAPED = /()(?<![A-Za-z0-9])([a-z0-9]{24}(?::[a-z0-9]{8,16})?)(?![A-Za-z0-9])/g;

/** @param instead what replaces it */
export function masked(text: string, instead: (secret: string) => string): string {
  const strike = (_: string, before: string, secret: string): string => before + instead(secret);
  return text
    .replace(REDIS, strike)
    .replace(NAMED, strike)
    .replace(USERINFO, strike)
    .replace(KEY_SHAPED, strike);
}
