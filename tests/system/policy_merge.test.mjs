// Policies put together: a learned one and an allow list, and the list of an update with a window for the old one.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { must_run, run } from './lib/daemon.mjs';

const digest = (letter) => `sha256:${letter.repeat(64)}`;
const allowed = (...pairs) => pairs.map(([name, ...letters]) => ({ path: name, digests: letters.map(digest) }));
const kUntil = '2099-12-15T00:00:00Z';
const kUntilAsWritten = '2099-12-15T00:00:00.000000Z';

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-merge-'));
});
after(() => rm(folder, { recursive: true }));

let files = 0;
async function policy(ima, rest = {}) {
  const where = path.join(folder, `${++files}.json`);
  await writeFile(where, JSON.stringify({ format: 'warifu.evidence-policy.v1', ...rest, ...(ima ? { ima } : {}) }));
  return where;
}
async function merged(...args) {
  const { code, stdout, stderr } = await run('warifu', ['policy', 'merge', ...args]);
  assert.equal(code, 0, stderr);
  return { ...JSON.parse(stdout), stdout, stderr };
}
async function refused(pattern, ...args) {
  const { code, stdout, stderr } = await run('warifu', ['policy', 'merge', ...args]);
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, pattern);
}

describe('warifu policy merge', () => {
  test('UnitesFilesAndTakesTheRestFromTheFirst', async () => {
    const base = await policy({ files: allowed(['/usr/bin/b', 'b'], ['/usr/bin/a', 'a']), excludes: ['/var/log/'], other_paths: false },
      { registers: { sha256: [0, 7] }, boot: { claims: ['secure-boot'] } });
    const list = await policy({ files: allowed(['/usr/bin/a', 'a', 'c'], ['/usr/bin/"d"', 'd']) });
    const other = await policy({ files: allowed(['/usr/bin/b', 'B']), excludes: ['/var/log/'] }, { registers: { sha256: [0, 7] } });
    const { stdout, ...all } = await merged(base, list, other);
    assert.deepEqual(all.registers, { sha256: [0, 7] });
    assert.deepEqual(all.boot, { claims: ['secure-boot'] });
    assert.deepEqual(all.ima, { excludes: ['/var/log/'], other_paths: false, files: allowed(['/usr/bin/"d"', 'd'], ['/usr/bin/a', 'a', 'c'], ['/usr/bin/b', 'b']) });
    assert.equal(stdout.split('\n').filter((line) => line.includes('"path"')).length, 3, 'a line for each path, so that differences can be read');
    const whole = path.join(folder, 'whole.json');
    await writeFile(whole, stdout);
    assert.equal((await run('warifu', ['policy', 'check', whole])).code, 0);
  });

  test('WithoutListsNothingIsAdded', async () => {
    const base = await policy(null, { boot: { claims: ['kernel'] } });
    const { stdout, stderr, ...all } = await merged(base, await policy(null));
    assert.deepEqual(all, { format: 'warifu.evidence-policy.v1', boot: { claims: ['kernel'] } });
    assert.equal(stderr, '');
    assert.ok(stdout.endsWith('\n'));
  });

  test('WhatTheFirstDoesNotSayIsRefusedWithItsPlace', async () => {
    const base = await policy({ files: allowed(['/a', 'a']), withdrawn: [digest('e')], violations: 'warn' });
    await refused(/\d+\.json: boot.*policy\.merge/, base, await policy(null, { boot: { claims: ['kernel'] } }));
    await refused(/ima\.excludes/, base, await policy({ excludes: ['/var/'] }));
    await refused(/ima\.violations/, base, await policy({ violations: 'fail' }));
    await refused(/withdraws this digest.*\/b, sha256:eeee|\/b, sha256:eeee.*withdraws/, base, await policy({ files: allowed(['/b', 'e']) }));
    await refused(/\/w, sha256:eeee.*withdraws|withdraws this digest.*\/w, sha256:eeee/, base, await policy({ retiring: [{ until: kUntil, files: allowed(['/w', 'e']) }] }));
    await refused(/json\.unknown-field/, base, await policy({ exclude: [] }));
    const until = await policy({ retiring: [{ until: kUntil, files: allowed(['/x', 'a']) }] });
    await refused(/\/x, sha256:aaaa/, base, until);
    const ends = await policy({ retiring: [{ until: kUntil, files: allowed(['/x', 'c']) }] });
    await refused(/good until/, ends, await policy({ retiring: [{ until: '2099-12-16T00:00:00Z', files: allowed(['/x', 'c']) }] }));
  });

  test('OldAndNewAreGoodAndThenTheOldIsWithdrawn', async () => {
    const old = await policy({
      files: allowed(['/usr/bin/true', 'a'], ['/usr/bin/false', 'b'], ['/usr/lib/gone.so.1', 'c'], ['/usr/bin/moved', 'd']),
      retiring: [{ until: '2099-01-01T00:00:00Z', files: allowed(['/usr/bin/true', 'e'], ['/usr/bin/back', 'f']) }],
      excludes: ['/var/'],
    });
    const fresh = await policy({ files: allowed(['/usr/bin/true', '1'], ['/usr/bin/false', 'b'], ['/usr/libexec/moved', 'd'], ['/usr/bin/back', 'f']) });
    const { ima, stderr } = await merged('--until', kUntil, old, fresh);
    assert.deepEqual(ima.files, allowed(['/usr/bin/back', 'f'], ['/usr/bin/false', 'b'], ['/usr/bin/moved', 'd'], ['/usr/bin/true', '1'], ['/usr/libexec/moved', 'd']));
    assert.deepEqual(ima.retiring, [
      { until: '2099-01-01T00:00:00.000000Z', files: allowed(['/usr/bin/true', 'e']) },
      { until: kUntilAsWritten, files: allowed(['/usr/bin/true', 'a'], ['/usr/lib/gone.so.1', 'c']) },
    ]);
    assert.deepEqual(ima.excludes, ['/var/']);
    assert.match(stderr, /^2 pairs .* good until 2099-12-15T00:00:00\.000000Z; 2 paths are in it alone/);
  });

  test('AWindowCanBeToldByItsLength', async () => {
    const [old, fresh] = [await policy({ files: allowed(['/a', 'a']) }), await policy({ files: allowed(['/a', 'b']) })];
    const day = 86_400_000;
    const { ima } = await merged('--retire-old-after', '14d', old, fresh);
    const until = Date.parse(ima.retiring[0].until) - Date.now();
    assert.ok(until > 13 * day && until <= 14 * day, `${until}`);
    for (const wrong of ['14', 'd', '0d', '-1d', '14 d', '1.5d', '99999999999d', '4000d', '14days']) await refused(/option\.duration/, `--retire-old-after=${wrong}`, old, fresh);
    await refused(/option\.time/, '--until', '2020-01-01T00:00:00Z', old, fresh);
    await refused(/option\.time/, '--until', 'tomorrow', old, fresh);
    assert.equal((await run('warifu', ['policy', 'merge', '--until', kUntil, '--retire-old-after', '1d', old, fresh])).code, 2);
  });

  test('CheckTellsWhenWindowsClose', async () => {
    const open = await policy({ retiring: [{ until: kUntil, files: allowed(['/a', 'a'], ['/b', 'b']) }, { until: '2020-01-01T00:00:00Z', files: allowed(['/c', 'c']) }] });
    const shown = await must_run('warifu', ['policy', 'check', open]);
    assert.match(shown, /window +closed at 2020-01-01T00:00:00\.000000Z: 1 files were good until then/);
    assert.match(shown, /window +open until 2099-12-15T00:00:00\.000000Z: 2 files are good until then/);
    const told = JSON.parse(await must_run('warifu', ['policy', 'check', '--json', open]));
    assert.deepEqual(told.windows, [{ until: '2020-01-01T00:00:00.000000Z', files: 1 }, { until: kUntilAsWritten, files: 2 }]);
  });
});
