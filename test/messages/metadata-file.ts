import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './provoke.ts';
import type { Row } from './row.ts';

/** What is said of an image_metadata.json with this content. */
function metadata(content: string, text: readonly string[]): Row {
  return {
    when: `image_metadata.json is ${content}`,
    provoke: async (folder) => {
      await folder.write({ 'image_metadata.json': content });
      const { text: said, exitCode } = await run(folder);
      // What the parser says is of another wording in another version of node.
      return { text: said.replace(/(?<=is not JSON \().+(?=\))/, '<why>'), exitCode };
    },
    text,
    next: 'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
    exitCode: 2,
  };
}

export const metadataFile: readonly Row[] = [
  metadata('[1]', [
    'image_metadata.json:1:1: an object, starting with { is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{1: 2}', [
    'image_metadata.json:1:2: a listing id in quotes, or } is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2, }', [
    'image_metadata.json:1:10: a listing id in quotes is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1" 2}', [
    'image_metadata.json:1:6: a colon is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": }', [
    'image_metadata.json:1:7: a value is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2 "3": 4}', [
    'image_metadata.json:1:9: a comma or } is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2} 3', [
    'image_metadata.json:1:10: the end of the file is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2', [
    'image_metadata.json:1:8: the file ends where a comma or } is expected',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": "two', [
    'image_metadata.json:1:11: the file ends in the middle of a value',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": [1 2]}', [
    'image_metadata.json:1:6: the value of "1" is not JSON (<why>)',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": #}', [
    'image_metadata.json:1:7: unexpected "#"',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  {
    when: 'image_metadata.json has an entry that is too large',
    provoke: async (folder) => {
      await folder.write({ 'image_metadata.json': `{"1": "${'x'.repeat(3e6)}"}` });
      return run(folder);
    },
    text: [
      'image_metadata.json:1:6: an entry has more than 1048576 bytes',
      'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
    ],
    next: 'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
    exitCode: 2,
  },
  {
    when: 'a folder in the place of image_metadata.json',
    provoke: async (folder) => {
      await mkdir(join(folder.path, 'image_metadata.json'));
      return run(folder);
    },
    text: [
      '<folder>/image_metadata.json is a folder, not a file',
      'Move it away, then start sync-data again.',
    ],
    next: 'Move it away, then start sync-data again.',
    exitCode: 1,
  },
];
