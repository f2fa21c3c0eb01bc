import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { main } from '../lib/command.ts';
import { asTyped } from '../lib/text/typed.ts';

describe('hints', () => {
  const cases: readonly (readonly [how: string, script: string, env: NodeJS.ProcessEnv, typed: string])[] = [
    ['npx', '/home/me/furniture/node_modules/.bin/sync-data', { npm_command: 'exec' }, 'npx sync-data'],
    ['a linked command', '/usr/local/bin/sync-data', { PATH: '/usr/bin:/usr/local/bin' }, 'sync-data'],
    ['a path', '/home/me/furniture/node_modules/.bin/sync-data', { PATH: '/usr/bin' }, 'node_modules/.bin/sync-data'], // prettier-ignore
    ['the file', '/home/me/sync-data/lib/sync-data.js', {}, 'node ../sync-data/lib/sync-data.js'],
    ['a file of spaces', '/home/me/my tools/lib/sync-data.js', {}, "node '../my tools/lib/sync-data.js'"],
    ['something else that loads it', '/home/me/own.js', {}, 'npx sync-data'],
  ];
  for (const [how, script, env, typed] of cases) {
    it(`name the command as it was typed: ${how}`, () => {
      const started = { argv: ['/usr/bin/node', script], env, cwd: '/home/me/furniture' };
      assert.equal(
        asTyped('To resume: npx sync-data --stage crawl', started),
        `To resume: ${typed} --stage crawl`,
      );
      assert.equal(asTyped('Nothing to type.', started), 'Nothing to type.');
    });
  }
});

describe('help', () => {
  const said = async (...argv: string[]): Promise<string> => {
    let text = '';
    const stream = { on: () => undefined, write: (more: string) => void (text += more) };
    const code = await main(argv, { stdout: stream, stderr: stream } as unknown as NodeJS.Process);
    return `${code} ${text}`;
  };

  it('is the same however it is asked for', async () => {
    const help = await said('--help');
    assert.match(help, /^0 .+\n\nUsage\n/);
    for (const form of [['-h'], ['help']]) assert.equal(await said(...form), help);
    const status = await said('help', 'status');
    assert.match(status, /^0 sync-data status \[--json\]\n/);
    for (const form of [
      ['status', '-h'],
      ['status', '--help'],
    ])
      assert.equal(await said(...form), status);
    assert.equal(await said('help', 'help'), help);
  });

  it('has each command’s usage, whatever else is on the line', async () => {
    const [, listed = ''] = /the commands are: (.+)\n/.exec(await said('nonsense')) ?? [];
    assert.ok(listed.split(', ').length >= 3);
    for (const command of listed.split(', ')) {
      const usage = await said('help', command);
      assert.match(usage, new RegExp(`^0 sync-data ${command}\\b.*\n\n[A-Z]`));
      for (const form of [
        ['--help', command],
        [command, '--json', '-h'],
        [command, '--stage', 'x', '--help'],
      ])
        assert.equal(await said(...form), usage);
    }
  });

  it('for what is no command is refused, with what is near', async () => {
    assert.match(
      await said('help', 'statsu'),
      /^2 sync-data: unknown command "statsu" \(did you mean status\?\)/,
    );
    assert.match(await said('helpp'), /^2 .+did you mean help\?/);
    assert.match(await said('help', 'status', 'report'), /^2 .+expected one command/);
  });
});
