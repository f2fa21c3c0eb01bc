import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Every document of the project; tests execute what they show. */
export const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'checkpoints/README.md',
  'lib/dataset/README.md',
  'lib/etsy/README.md',
  'lib/models/README.md',
  'lib/store/README.md',
  'lib/dataset/WORKING-WITH-THE-DATA.md',
  'lib/settings.md',
  'lib/when-something-goes-wrong.md',
  'test/chaos/README.md',
  'test/bench/README.md',
] as const;

export const text = (name: string): Promise<string> => readFile(join(ROOT, name), 'utf8');

/** The blocks of code, with what language they say they are in; indented ones are for a shell. */
export async function blocks(name: string): Promise<{ readonly language: string; readonly code: string }[]> {
  const all = await text(name);
  const fenced = [...all.matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm)].map(
    ([, , language = '', code = '']) => ({
      language,
      code,
    }),
  );
  const rest = all.replaceAll(/^( *)```\w*\n[^]*?^\1```$/gm, '');
  const indented = [...rest.matchAll(/(?<=\n\n)(?:(?: {4}| {7})\S.*\n)+/g)].map(([code]) => ({
    language: 'sh',
    code,
  }));
  return [...fenced, ...indented];
}

export async function commands(name: string): Promise<string[]> {
  const lines = (await blocks(name))
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n'));
  return lines.flatMap((line) => line.trim().replace(/ {2,}#.*$/, '') || []);
}
