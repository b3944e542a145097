// `warifu` to somebody who meets it for the first time: each command explains itself, and says what is wrong with what it was given.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { must_run, run } from './lib/daemon.mjs';

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-command-line-'));
});
after(() => rm(folder, { recursive: true }));

const help_of = (...words) => must_run('warifu', [...words, '--help']);
const names_in = (help) => [...(help.split('Subcommands:\n')[1] ?? '').matchAll(/^  (\S+)/gm)].map(([, name]) => name);

describe('warifu --help', () => {
  test('EachCommandExplainsItselfWithAnExampleOfItsOwn', async () => {
    const nouns = names_in(await help_of());
    assert.ok(nouns.length > 10, nouns.join(' '));
    let verbs = 0;
    for (const noun of nouns) {
      const help = await help_of(noun);
      const below = names_in(help);
      const commands = below.length > 0 ? below.map((verb) => [noun, verb]) : [[noun]];
      if (below.length > 0) assert.ok(!help.includes('Example: warifu --server'), `${noun} shows the example of another command`);
      for (const words of commands) {
        const own = await help_of(...words);
        assert.match(own, new RegExp(`^Example: (.*\\| )?warifu (--\\S+ \\S+ )*${words.join(' ')}( |$)`, 'm'), words.join(' '));
        assert.match(own, /--json/, words.join(' '));
        ++verbs;
      }
    }
    assert.ok(verbs > 30, `${verbs} verbs`);
  });
});

describe('warifu, on files', () => {
  const kOffline = [['eventlog', 'replay'], ['eventlog', 'show'], ['ima', 'replay'], ['ima', 'show']];

  test('SaysWhatIsWrongWithAFile', async () => {
    for (const words of kOffline) {
      const missing = await run('warifu', [...words, path.join(folder, 'nothing')]);
      assert.equal(missing.code, 2);
      assert.match(missing.stderr, /there is no such file \(at .*nothing\) \[file\.read\]/);
      const of_folder = await run('warifu', [...words, folder]);
      assert.equal(of_folder.code, 2);
      assert.match(of_folder.stderr, /it is a folder/);
    }
  });

  test('OneFileAloneIsTheStandardInput', async () => {
    const log = path.join(folder, 'log');
    await writeFile(log, '\x1e{"pcr":1,"digests":[{"hashAlg":"sha1","digest":"' + '0'.repeat(40) + '"}]}\n');
    const one = await run('warifu', ['eventlog', 'replay', '-'], { input: '\x1e{"pcr":1,"digests":[{"hashAlg":"sha1","digest":"' + '0'.repeat(40) + '"}]}\n' });
    assert.equal(one.code, 0, one.stderr);
    for (const args of [['eventlog', 'replay', '-', '--after', '-'], ['quote', 'verify', '--ak', '-', '--message', log, '--signature', '-', '--any-nonce']]) {
      const two = await run('warifu', args, { input: '\x1e{"pcr":1,"digests":[{"hashAlg":"sha1","digest":"' + '0'.repeat(40) + '"}]}\n' });
      assert.equal(two.code, 2);
      assert.match(two.stderr, /only one file .*standard input/, args.join(' '));
    }
  });
});
