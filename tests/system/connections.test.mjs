// `warifu` with much to ask: it keeps its connections, makes a lost one anew, and reads lists of EKs of any size.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { FaultyLink } from './lib/faulty_link.mjs';
import { any_ek } from './lib/software_tpm.mjs';

const kEnrollments = 1500;

let daemon;
let fleet;
before(async () => {
  daemon = await Daemon.start();
  const lines = Array.from({ length: kEnrollments }, (_, i) => JSON.stringify({ registration_id: `meter-${i}`, attestation: { type: 'symmetric-key' } }));
  for (let i = 0; i < 5; ++i) lines.push(JSON.stringify({ group_id: `line-${i}`, attestation: { type: 'tpm', tpm: { naming: 'm-{ek}' } } }));
  fleet = await daemon.write('fleet.jsonl', `${lines.join('\n')}\n`);
});
after(() => daemon?.stop());

/** Runs `warifu` over a link to the server; it must succeed. */
async function over_link(args, { breaks, input } = {}) {
  const link = await FaultyLink.to(daemon.operators_url, breaks);
  try {
    const outcome = await daemon.operator(args, { server: link.url, input });
    assert.equal(outcome.code, 0, `${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
    return { ...outcome, connections: link.connections, broken: link.broken };
  } finally {
    link.close();
  }
}

describe('A connection of warifu', () => {
  test('ServesAllBatchesOfAnApply', async () => {
    const { stdout, connections } = await over_link(['apply', '--quiet', '-f', fleet]);
    assert.equal(stdout, `${kEnrollments + 5} created, 0 updated, 0 unchanged, 0 refused\n`);
    assert.ok(connections <= 3, `two batches and a group may be on their way at once, not ${connections}`);
  });

  test('ServesAllKeysOfAnExport', async () => {
    const { stdout, connections } = await over_link(['export', '--with-keys', '--format', 'jsonl']);
    assert.equal(stdout.match(/"primary_key"/g).length, kEnrollments);
    assert.equal(connections, 1);
  });

  test('IsMadeAnewWhenItIsLostInTheMiddleOfAPage', async () => {
    const whole = await daemon.operator(['export', '--with-keys', '--format', 'jsonl']);
    const breaks = ({ connection, received }) => connection === 1 && received > 100_000;
    const { stdout, connections, broken } = await over_link(['export', '--with-keys', '--format', 'jsonl'], { breaks });
    assert.equal(broken, 1);
    assert.equal(connections, 2);
    assert.equal(stdout, whole.stdout);
  });

  test('IsMadeAnewWhenTheAnswerToABatchIsLost', async () => {
    const breaks = ({ connection, received }) => connection === 1 && received > 20_000;
    const { stdout, broken } = await over_link(['apply', '--quiet', '-f', fleet], { breaks });
    assert.equal(broken, 1);
    assert.equal(stdout, `0 created, 0 updated, ${kEnrollments + 5} unchanged, 0 refused\n`);
  });

  test('ThatIsLostAgainAndAgainEndsTheCommand', async () => {
    const link = await FaultyLink.to(daemon.operators_url, ({ received }) => received > 100_000);
    try {
      const { code, stderr } = await daemon.operator(['export', '--format', 'jsonl'], { server: link.url });
      assert.equal(code, 3);
      assert.match(stderr, /broke before the answer came/);
      assert.equal(link.broken, 2);
    } finally {
      link.close();
    }
  });
});

describe('warifu enrollment-group add-eks', () => {
  const group = 'line-0';
  const add = (...files) => ['enrollment-group', 'add-eks', group, ...files, '--json'];

  test('TakesMoreThanAMebibyteOverOneConnection', async () => {
    const text = Array.from({ length: 3500 }, () => any_ek().toString('base64')).join('\n');
    assert.ok(text.length > 1024 * 1024);
    const file = await daemon.write('many.eks', text);
    const { stdout, connections } = await over_link(add(file));
    assert.deepEqual(JSON.parse(stdout), { group_id: group, added: 3500, updated: 0, unchanged: 0 });
    assert.equal(connections, 1);
  });

  test('ReadsStandardInput', async () => {
    const eks = [any_ek(), any_ek()].map((ek) => ek.toString('base64'));
    const { stdout } = await over_link(add('-'), { input: `# a delivery\r\n${eks.join('\r\n')}\r\n\r\n` });
    assert.deepEqual(JSON.parse(stdout), { group_id: group, added: 2, updated: 0, unchanged: 0 });
    assert.deepEqual(JSON.parse((await over_link(add('-'), { input: eks[1] })).stdout), { group_id: group, added: 0, updated: 0, unchanged: 1 });
  });

  test('NamesTheLineThatIsNoEkAndSaysWhatIsListed', async () => {
    const refused = async (file, code, pattern) => {
      const { code: came, stderr } = await daemon.operator(add(...[file].flat()));
      assert.equal(came, code, stderr);
      assert.match(stderr, pattern);
    };
    const eks = Array.from({ length: 1001 }, () => any_ek().toString('base64'));
    await refused(await daemon.write('typo.eks', `${eks.join('\n')}\nno base64!\n`), 2, /expected an EK in base64 \(the first 1000 EKs are on the list\).*typo\.eks:1002/);
    await refused(await daemon.write('short.eks', `${eks[0]}\nQUJD\n`), 2, /one of the 2 EKs before the end/);
    await refused(await daemon.write('none.eks', '# nothing\n\n'), 2, /no EK in it/);
    await refused(await daemon.write('long.eks', 'A'.repeat(20_000)), 2, /a line has at most/);
    await refused(daemon.folder, 3, /folder/);
    const fresh = any_ek().toString('base64');
    await refused([await daemon.write('fresh.eks', fresh), daemon.file('absent.eks')], 3, /could not be opened.*absent\.eks/);
    assert.equal(JSON.parse((await over_link(add(daemon.file('fresh.eks')))).stdout).added, 1, 'a wrong name changed nothing');
  });
});
