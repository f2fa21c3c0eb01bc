export interface FloorInput {
  readonly urls: readonly string[];
  readonly key: string;
  /** Requests under way at once. */
  readonly concurrency: number;
}

/** The least that reading these pages can cost: each fetched and parsed, nothing kept. */
export async function main({ urls, key, concurrency }: FloorInput): Promise<void> {
  const left = urls.values();
  const reader = async (): Promise<void> => {
    for (const url of left) {
      const response = await fetch(url, { headers: { 'x-api-key': key } });
      const body = JSON.parse(await response.text()) as { results?: unknown };
      if (!Array.isArray(body.results)) throw new Error(`${url}: HTTP ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, reader));
}
