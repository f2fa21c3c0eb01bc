import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { files } from '../attacks/files.ts';
import { pictures } from '../attacks/pictures.ts';
import { runs } from '../attacks/runs.ts';
import { texts } from '../attacks/texts.ts';
import { workers } from '../attacks/workers.ts';

const ATTACKS = [...texts, ...files, ...runs, ...pictures, ...workers];

/** What SECURITY.md says that sync-data defends against, line by line. */
async function claims(): Promise<string[]> {
  const text = await readFile('SECURITY.md', 'utf8');
  const [, part = ''] = /## What it defends against\n([^]*?)\n## /.exec(text) ?? [];
  return Array.from(part.matchAll(/^- ([^]*?)(?=\n- |\n\n|$(?![^]))/gm), ([, claim = '']) =>
    claim.replaceAll(/\s+/g, ' '),
  );
}

describe('SECURITY.md', () => {
  it('claims nothing without an attack, and no attack is without its claim', async () => {
    const said = await claims();
    assert.ok(said.length > 30);
    assert.deepEqual(
      said.filter((claim) => !ATTACKS.some((attack) => claim.startsWith(attack.claim))),
      [],
    );
    assert.deepEqual(
      ATTACKS.filter((attack) => said.filter((claim) => claim.startsWith(attack.claim)).length !== 1).map(
        ({ claim }) => claim,
      ),
      [],
    );
  });

  it('comes with the package, as does what README links to', async () => {
    const { files: packed } = JSON.parse(await readFile('package.json', 'utf8')) as { files: string[] };
    assert.ok(packed.includes('SECURITY.md') && packed.includes('CHANGELOG.md'));
  });
});

describe('an attack with', () => {
  for (const { name, fails } of ATTACKS)
    it(`${name} achieves nothing`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sync-data-attack-'));
      try {
        await fails(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
});
