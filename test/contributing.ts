import { readFile } from 'node:fs/promises';

export const CONTRIBUTING = new URL('../CONTRIBUTING.md', import.meta.url);

/** The example of CONTRIBUTING.md: the module of a stage, and its lines in pipeline.yaml. */
export async function exampleStage(): Promise<{ readonly module: string; readonly yaml: string }> {
  const text = await readFile(CONTRIBUTING, 'utf8');
  const block = (language: string): string =>
    new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(text)?.[1] ?? '';
  return { module: block('ts'), yaml: block('yaml').replace(/^[^]*?(?=^ {2}- id: )/m, '') };
}
