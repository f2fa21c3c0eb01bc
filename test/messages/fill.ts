import { timeless, withFolder } from './provoke.ts';
import type { Row } from './row.ts';
const name = process.argv[2] ?? '';
const module = (await import(`./${name}.ts`)) as Record<string, readonly Row[]>;
for (const rows of Object.values(module).filter(Array.isArray) as Row[][])
  for (const row of rows) {
    if (process.argv[3] && !row.when.includes(process.argv[3])) continue;
    const t = performance.now();
    await withFolder(async (folder) => {
      const said = await row
        .provoke(folder)
        .catch((e: unknown) => ({ text: `THROWN ${String((e as Error).stack)}`, exitCode: -1 }));
      console.log(
        JSON.stringify({
          when: row.when,
          ms: Math.round(performance.now() - t),
          exitCode: said.exitCode,
          wanted: row.exitCode,
          lines: timeless(said.text, folder).replace(/\n$/, '').split('\n'),
        }),
      );
    });
  }
