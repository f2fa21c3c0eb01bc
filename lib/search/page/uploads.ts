import { randomBytes } from 'node:crypto';
import type { Picture } from '../asked.ts';

/** Pictures that were dropped on the page: in memory alone, a few, for a while. */
const MOST = 16;
const KEPT_MS = 30 * 60_000;

export class Uploads {
  readonly #pictures = new Map<string, { readonly picture: Picture; readonly since: number }>();

  /** @returns its name in addresses, which nobody can guess */
  add(bytes: Uint8Array): string {
    this.#forget();
    const id = randomBytes(12).toString('base64url');
    this.#pictures.set(id, { picture: { name: 'your picture', bytes }, since: performance.now() });
    const [oldest] = this.#pictures.keys();
    if (this.#pictures.size > MOST && oldest !== undefined) this.#pictures.delete(oldest);
    return id;
  }

  get(id: string): Picture | undefined {
    this.#forget();
    return this.#pictures.get(id)?.picture;
  }

  #forget(): void {
    for (const [id, { since }] of this.#pictures)
      if (performance.now() - since > KEPT_MS) this.#pictures.delete(id);
  }
}
