import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compiledFolder } from '../../lib/start/compiled.js';
import { inspectAndHash, readImage } from '../../lib/dataset/image-files.ts';
import { jsonEntries } from '../../lib/dataset/json-entries.ts';
import { EtsyApi } from '../../lib/etsy/api.ts';
import type { Client } from '../../lib/etsy/client.ts';
import type { Read } from '../../lib/etsy/exchange.ts';
import { findKey } from '../../lib/etsy/key.ts';
import { Log } from '../../lib/log/file.ts';
import { loadPipeline } from '../../lib/pipeline/config.ts';
import { findPipeline, whoseElse } from '../../lib/pipeline/find.ts';
import { NotAFile, openRegular, openToAppend, readAll, replaceFile } from '../../lib/store/files.ts';
import { acquireLock } from '../../lib/store/lock.ts';
import type { Attack } from './row.ts';

const PIPELINE = 'stages:\n  - id: own\n    task: ./own.ts\n';
const TRAP = "import { writeFileSync } from 'node:fs';\nwriteFileSync('executed', '');\nexport default {};\n";

/** SQL that is put together of values: a template with a hole in a text that is a statement. */
async function splicedSql(): Promise<string[]> {
  const found: string[] = [];
  for (const room of ['lib/dataset', 'lib/store', 'checkpoints', 'tasks/rules'])
    for (const name of await readdir(room)) {
      if (!name.endsWith('.ts')) continue;
      const text = await readFile(join(room, name), 'utf8');
      for (const [, hole = ''] of text.matchAll(
        /`(?:SELECT|INSERT|UPDATE|DELETE|REPLACE)[^`]*?\$\{([^}]*)\}/g,
      ))
        // Constants are in capitals; lists of columns and functions that give SQL are made of them.
        if (
          !/^[A-Z_]+$|^(?:columns|changes|values|table|which|whole|insertFrom|mode|where|text|sql|id|WORK)\b|\(/.test(
            hole,
          )
        )
          found.push(`${room}/${name}: ${hole}`);
    }
  return found;
}

export const files: readonly Attack[] = [
  {
    claim: 'An answer with more rows than were asked for',
    name: '300,000 rows for one listing',
    fails: async () => {
      const body = { count: 1, results: Array<number>(300_000).fill(1) };
      const client = {
        get: (_path: string, _query: object, accept: (read: Read) => unknown) => accept(() => body),
      };
      const api = new EtsyApi(client as unknown as Client);
      await assert.rejects(async () => api.batch([1]), /300000 rows where at most 1 were asked for/);
    },
  },
  {
    claim: 'Values reach SQL as bound parameters',
    name: 'statements in the sources with a value spliced in',
    fails: async () => assert.deepEqual(await splicedSql(), []),
  },
  {
    claim: '`name:` of pipeline.yaml is cleaned',
    name: 'a name with escape codes, of 10,000 characters',
    fails: async (folder) => {
      const name = `\\e]0;pwn\\a\\e[31mred\\u202eevil${'x'.repeat(10_000)}`;
      const task = join(process.cwd(), 'tasks/reconcile.ts');
      await writeFile(
        join(folder, 'pipeline.yaml'),
        `name: "${name}"\nstages: [{ id: reconcile, task: ${task} }]\n`,
      );
      assert.match((await loadPipeline(folder)).name, /^[\x20-\x7e]{1,79}…$/);
    },
  },
  {
    claim: 'Only pipeline.yaml is looked for',
    name: 'scripts where cosmiconfig looks for settings of its own',
    fails: async (folder) => {
      await mkdir(join(folder, '.config'));
      for (const name of ['config.js', 'config.cjs', 'config.mjs', 'config.ts', 'config.json'])
        await writeFile(join(folder, '.config', name), TRAP);
      await writeFile(join(folder, 'package.json'), '{ bad');
      await writeFile(join(folder, 'pipeline.yaml'), PIPELINE);
      const before = process.cwd();
      process.chdir(folder);
      try {
        assert.equal((await findPipeline(folder)).text, PIPELINE);
      } finally {
        process.chdir(before);
      }
      assert.ok(!existsSync(join(folder, 'executed')));
    },
  },
  {
    claim: 'A pipeline.yaml above the current folder',
    name: 'one of another user, and one in a folder like /tmp',
    fails: () => {
      const mine = { uid: 1000, mode: 0o755 };
      assert.equal(whoseElse(1000, mine, mine), undefined);
      assert.notEqual(whoseElse(1000, mine, { uid: 1001, mode: 0o644 }), undefined);
      assert.notEqual(whoseElse(1000, { uid: 0, mode: 0o1777 }, mine), undefined);
    },
  },
  {
    claim: '`status` and `report` run no task module',
    name: 'a task module that writes a file when it is loaded',
    fails: async (folder) => {
      await writeFile(
        join(folder, 'own.ts'),
        TRAP.replace("'executed'", JSON.stringify(join(folder, 'executed'))),
      );
      await writeFile(join(folder, 'pipeline.yaml'), PIPELINE);
      const { stages } = await loadPipeline(folder, { tasks: 'own' });
      assert.deepEqual(
        stages.map(({ id }) => id),
        ['own'],
      );
      assert.ok(!existsSync(join(folder, 'executed')));
    },
  },
  {
    claim: 'A pipe, socket, device or folder',
    name: 'pipes as .env, as pipeline.yaml, as image_metadata.json and as an image',
    fails: async (folder) => {
      const path = join(folder, 'pipe');
      execFileSync('mkfifo', [path, join(folder, '.env'), join(folder, 'pipeline.yaml')]);
      await assert.rejects(openRegular(path, 'refuse'), NotAFile);
      await assert.rejects(jsonEntries(path).next(), NotAFile);
      await assert.rejects(findPipeline(folder), /is a pipe, not a file/);
      await assert.rejects(findKey(folder, {}), /is a pipe, not a file/);
      assert.equal(
        (await findKey(folder, { ETSY_API_KEY: 'keystring:secret' }))?.header(),
        'keystring:secret',
      );
      await assert.rejects(openRegular('/dev/null', 'follow'), NotAFile);
    },
  },
  {
    claim: 'The log and the lock file never follow',
    name: 'links to another file in their places',
    fails: async (folder) => {
      const victim = join(folder, 'victim');
      await writeFile(victim, 'VICTIM');
      for (const name of ['sync-data.log', 'etsy_data.db.lock']) await symlink('victim', join(folder, name));
      const log = new Log({ path: join(folder, 'sync-data.log'), redact: (text) => text });
      log.write('start');
      log.end(0);
      await assert.rejects(acquireLock(join(folder, 'etsy_data.db'), { pid: 1, since: 0 }), NotAFile);
      assert.equal(await readFile(victim, 'utf8'), 'VICTIM');
    },
  },
  {
    claim: 'The lock file is readable for its owner alone',
    name: 'a lock file that others may read, from a version before',
    fails: async (folder) => {
      const path = join(folder, 'etsy_data.db');
      for (const mode of [undefined, 0o644, 0o666]) {
        if (mode !== undefined) execFileSync('chmod', [mode.toString(8), `${path}.lock`]);
        const lock = await acquireLock(path, { pid: process.pid, since: 0 });
        assert.ok('release' in lock);
        await lock.release(true);
        assert.equal((await stat(`${path}.lock`)).mode & 0o777, 0o600);
      }
    },
  },
  {
    claim: 'The compiled form of the modules',
    name: 'a folder of compiled modules that others may write to, a link to one, and a file in its place',
    fails: async (folder) => {
      const own = compiledFolder();
      assert.ok(own === false || ((await stat(own)).mode & 0o022) === 0);
      const open = join(folder, 'open');
      await mkdir(open);
      await chmod(open, 0o777);
      await symlink('open', join(folder, 'link'));
      await writeFile(join(folder, 'file'), '');
      for (const name of ['open', 'link', 'file'])
        assert.equal(compiledFolder(join(folder, name)), false, name);
      assert.equal(compiledFolder(join(folder, 'new')), join(folder, 'new'));
    },
  },
  {
    claim: 'A new file has 0644 or 0666',
    name: 'umasks that take more away and less, and a file that only its owner may read',
    fails: async (folder) => {
      const before = process.umask(0o022);
      const modeOf = async (name: string): Promise<number> => (await stat(join(folder, name))).mode & 0o777;
      const replace = (name: string): Promise<void> =>
        replaceFile(join(folder, name), join(folder, `${name}.tmp`), false, (file) => file.writeFile('x'));
      try {
        for (const umask of [0o022, 0o077, 0o000]) {
          process.umask(umask);
          const name = `file-${umask}`;
          await replace(name);
          assert.equal(await modeOf(name), 0o666 & ~umask);
          closeSync(openToAppend(join(folder, `log-${umask}`), 0o644).file);
          assert.equal(await modeOf(`log-${umask}`), 0o644 & ~umask);
          await chmod(join(folder, name), 0o600);
          await replace(name);
          assert.equal(await modeOf(name), 0o600);
        }
      } finally {
        process.umask(before);
      }
    },
  },
  {
    claim: 'A file that was checked is read through the handle',
    name: 'another file put in the place of one that was opened, and names opened a second time in the sources',
    fails: async (folder) => {
      const path = join(folder, '1.jpg');
      await writeFile(path, 'checked');
      const { file, info } = await openRegular(path, 'refuse');
      await writeFile(join(folder, 'other'), 'another');
      await rename(join(folder, 'other'), path);
      assert.equal(String(await readAll(file, path, info, 100)), 'checked');
      await file.close();
      const image = Buffer.concat([
        Buffer.from([0xff, 0xd8, 0xff]),
        Buffer.alloc(5000, 1),
        Buffer.from([0xff, 0xd9]),
      ]);
      await writeFile(path, image);
      const hashed = await inspectAndHash(path);
      assert.deepEqual(
        'fault' in hashed ? hashed.fault : hashed.sha256,
        createHash('sha256').update(image).digest('hex'),
      );
      assert.deepEqual(await readImage(path), image);
      for (const source of ['tasks/rules/download.ts', 'tasks/rules/verdicts.ts', 'lib/dataset/meta-data.ts'])
        assert.doesNotMatch(
          await readFile(source, 'utf8'),
          /\b(?:readFile|createReadStream|openRegular)\b/,
          source,
        );
    },
  },
  {
    claim: 'A YAML bomb in pipeline.yaml',
    name: 'aliases of aliases, 100,000 levels in six forms, a megabyte of anchors and of aliases',
    fails: async (folder) => {
      const names = Array.from({ length: 26 }, (_, index) => String.fromCharCode(97 + index));
      const aliases = names.map((name, index) => {
        const above = names[index - 1];
        return `${name}: &${name} [${Array(9)
          .fill(above === undefined ? 'x' : `*${above}`)
          .join(', ')}]`;
      });
      const bombs = [
        aliases.join('\n'),
        ...['[', '- ', '? ', '{a: ', '&a [', ': '].map((part) => part.repeat(100_000)),
        `a: [${'&a x, '.repeat(100_000)}]`,
        `a: &a x\nb: [${'*a, '.repeat(200_000)}]`,
      ];
      for (const bomb of bombs) {
        await writeFile(join(folder, 'pipeline.yaml'), bomb);
        await assert.rejects(loadPipeline(folder), (error: Error) => {
          assert.ok(
            error.message.length < 20_000 && !(error instanceof RangeError),
            error.message.slice(0, 500),
          );
          return true;
        });
      }
    },
  },
  {
    claim: 'An entry of image_metadata.json may have 1 MB',
    name: 'a value of 8 MB, and a key of 8 MB',
    fails: async (folder) => {
      const path = join(folder, 'image_metadata.json');
      for (const text of [
        `{"1":"${'x'.repeat(8e6)}"}`,
        `{"${'x'.repeat(8e6)}":1}`,
        `{"1":[${'1,'.repeat(4e6)}1]}`,
      ]) {
        await writeFile(path, text);
        await assert.rejects(async () => {
          for await (const some of jsonEntries(path)) assert.ok(some.length < 2);
        }, /an entry has more than 1048576 bytes/);
      }
    },
  },
];
