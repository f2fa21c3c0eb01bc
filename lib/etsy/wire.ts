import { subscribe } from 'node:diagnostics_channel';

const watchers = new Map<string, () => void>();
let subscribed = false;

/** Loaded when it is first needed: with it comes Node's own, a tenth of a start. */
export function httpClient(): Promise<typeof import('ofetch')> {
  return (loaded ??= import('ofetch'));
}

let loaded: Promise<typeof import('ofetch')> | undefined;

/**
 * Tells when a request's head is really written to its socket. That may be preceded by a DNS look-up, a TCP and a TLS
 * handshake: a server counts arrivals, so pacing by the moment of the fetch call would let windows overfill.
 * @returns ends the watch
 */
export function onWire(url: URL, written: () => void): () => void {
  if (!subscribed) {
    subscribed = true;
    subscribe('undici:client:sendHeaders', (message) => {
      const { request } = message as { request?: { origin?: unknown; path?: unknown } };
      const key = `${String(request?.origin)}${String(request?.path)}`;
      const watcher = watchers.get(key);
      watchers.delete(key);
      watcher?.();
    });
  }
  const key = `${url.origin}${url.pathname}${url.search}`;
  watchers.set(key, written);
  return () => {
    watchers.delete(key);
  };
}
