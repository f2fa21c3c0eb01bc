import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertedElsewhere } from '../messages/elsewhere.ts';
import { endings } from '../messages/endings.ts';
import { etsy } from '../messages/etsy.ts';
import { timeless, withFolder } from '../messages/provoke.ts';
import { oddities } from '../messages/oddities.ts';
import { records } from '../messages/records.ts';
import type { Row } from '../messages/row.ts';
import { search } from '../messages/search.ts';
import { keys } from '../messages/keys.ts';
import { stageTasks } from '../messages/stage-tasks.ts';
import { yaml } from '../messages/yaml.ts';
import { direct } from '../messages/direct.ts';
import { databaseFile } from '../messages/database-file.ts';
import { metadataFile } from '../messages/metadata-file.ts';
import { otherFiles } from '../messages/other-files.ts';
import { tasks } from '../messages/tasks.ts';
import { UNCOMPARED } from '../messages/uncompared.ts';
import { UNMET } from '../messages/unmet.ts';
import { usage } from '../messages/usage.ts';
import { workers } from '../messages/workers.ts';
import { writtenMessages } from '../messages/written.ts';

// Every error message that somebody may meet, each brought about and compared with its whole text.

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'the command line and the start': usage,
  'pipeline.yaml': [...yaml, ...keys],
  'the stages of pipeline.yaml': stageTasks,
  'image_metadata.json': metadataFile,
  'the database': databaseFile,
  'other files': otherFiles,
  'one thing alone': direct,
  Etsy: etsy,
  'the search': search,
  workers,
  'the end of a run': endings,
  'a task of one’s own': tasks,
  'records kept for the next run': records,
  'odd answers that were put right': oddities,
};

for (const [about, rows] of Object.entries(TABLES)) {
  describe(`what is said about ${about}:`, { concurrency: 4 }, () => {
    for (const { when, provoke, text, next, exitCode } of rows) {
      it(when, async () => {
        const lines = text.map((line) => line.trim());
        assert.ok(
          next.length > 0 && (exitCode === undefined ? text.join('\n').includes(next) : lines.includes(next)),
        );
        await withFolder(async (folder) => {
          const said = await provoke(folder);
          assert.deepEqual(timeless(said.text, folder).replace(/\n$/, '').split('\n'), text);
          if (exitCode !== undefined) assert.equal(said.exitCode, exitCode);
        });
      });
    }
  });
}

describe('every message in the sources', () => {
  const listed = Object.values(TABLES)
    .flat()
    .map(({ text }) => text.join('\n'));
  const written = writtenMessages();
  const isListed = (words: string): boolean => {
    const pattern = formOf(words);
    return listed.some((text) => pattern.test(text));
  };
  const nameOf = ({ file, words }: { file: string; words: string }): string => `${file}: ${words}`;

  it('is listed here with its text, asserted in a test of its own, or cannot be met', () => {
    const unmet = new Set([...UNMET, ...UNCOMPARED].map(nameOf));
    const isAsserted = assertedElsewhere();
    const missing = written.filter(
      (one) => !isListed(one.words) && !isAsserted(one.words) && !unmet.has(nameOf(one)),
    );
    assert.deepEqual(
      missing.map(({ file, line, words }) => `${file}:${line}: ${words}`),
      [],
    );
  });

  it('that cannot be met is there, is not listed here after all, and has its reason', () => {
    const names = new Map(written.map((one) => [nameOf(one), one]));
    const idle = [...UNMET, ...UNCOMPARED].filter(
      (one) => !names.has(nameOf(one)) || isListed(one.words) || one.why === '',
    );
    assert.deepEqual(idle.map(nameOf), []);
  });
});

/** Words as a whole, with anything in place of each hole. */
function formOf(words: string): RegExp {
  // Holes side by side, or at an end, are as one or none: each would be tried at every length.
  const parts = words
    .trim()
    .replaceAll(/^…+|…+$/g, '')
    .split(/…+/)
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll(/\s+/g, '\\s+'));
  const [before, after] = ['(?<![\\p{L}\\d])', '(?![\\p{L}\\d])'];
  const isWord = (letter = ''): boolean => /[\p{L}\d]/u.test(letter);
  const trimmed = words.trim();
  const form = parts.join('[^]*?');
  return new RegExp(`${isWord(trimmed[0]) ? before : ''}${form}${isWord(trimmed.at(-1)) ? after : ''}`, 'u');
}
