import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TESTS = fileURLToPath(new URL('..', import.meta.url));
/** Shorter words are in some test by chance. */
const LEAST = 10;

/** Whether a test beside these tables asserts these words: their longest part without holes stands in its source. */
export function assertedElsewhere(): (words: string) => boolean {
  const sources = ['', 'runs/', 'attacks/'].flatMap((folder) =>
    readdirSync(`${TESTS}${folder}`)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => plain(readFileSync(`${TESTS}${folder}${name}`, 'utf8'))),
  );
  return (words) => {
    const parts = words.split('…').map((part) => part.replaceAll(/\s+/g, ' ').trim());
    const longest = parts.reduce((most, part) => (part.length > most.length ? part : most), '');
    return longest.length >= LEAST && sources.some((source) => source.includes(longest));
  };
}

/** As it is meant, where it stands in a regular expression or goes on in the next line. */
function plain(source: string): string {
  return source
    .replaceAll(/\\([.()[\]?*+/{}|$^])/g, '$1')
    .replaceAll(/['"`]\s*\+\s*['"`]/g, '')
    .replaceAll(/\s+/g, ' ');
}
