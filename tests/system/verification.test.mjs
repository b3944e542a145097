// `warifu attestation verify`: a relying party lets the server judge evidence of a TPM that nobody enrolled, and gets a token.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { OperatorClient } from '../interop/lib/operator_http.mjs';
import { Daemon } from './lib/daemon.mjs';
import { attest, attestation_key, kNonce } from './lib/quotes.mjs';

const kAudience = 'https://broker.example';
const part_of = (token, index) => JSON.parse(Buffer.from(token.split('.')[index], 'base64url'));

describe('Evidence that the server judges', () => {
  const values = { 0: Buffer.alloc(32, 1), 7: Buffer.alloc(32, 2) };
  const key = attestation_key();
  const message = attest(values);
  let server;
  let files;
  before(async () => {
    server = await Daemon.start();
    const registers = Object.fromEntries(Object.entries(values).map(([index, value]) => [index, value.toString('hex')]));
    files = {
      '--ak': await server.write('ak.tpmt', key.tpmt),
      '--message': await server.write('quote.msg', message),
      '--signature': await server.write('quote.sig', key.sign(message)),
      '--pcrs': await server.write('pcrs.json', JSON.stringify({ sha256: registers })),
    };
  });
  after(() => server?.stop());

  /** {code, stdout, stderr}; `changed` takes the place of what is right. */
  function judged(changed = {}, more = []) {
    const options = { '--audience': kAudience, '--nonce': kNonce.toString('hex'), ...files, ...changed };
    return server.operator(['attestation', 'verify', ...Object.entries(options).flat(), ...more]);
  }

  test('IsAToken', async () => {
    const { code, stdout, stderr } = await judged({ '--eat-nonce': 'AAECAwQFBgc' }, ['--json']);
    assert.equal(code, 0, stderr);
    const { result, ear } = JSON.parse(stdout);
    assert.equal(result.layers.identity, 'affirming');
    const client = new OperatorClient({ url: server.operators_url, ca: server.ca });
    const { keys } = (await client.send('GET', '/.well-known/jwks.json', { token: null })).json;
    client.close();
    const jwk = keys.find(({ kid }) => kid === part_of(ear, 0).kid);
    const [signed, signature] = [ear.slice(0, ear.lastIndexOf('.')), Buffer.from(ear.split('.')[2], 'base64url')];
    assert.ok(verify('sha256', signed, { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, signature));
    const { aud, eat_nonce, ear_status } = part_of(ear, 1);
    assert.deepEqual({ aud, eat_nonce, ear_status }, { aud: kAudience, eat_nonce: 'AAECAwQFBgc', ear_status: 'none' });
  });

  test('IsReadByPeopleToo', async () => {
    const { stdout } = await judged();
    assert.match(stdout, /^overall +none$/m);
    assert.match(stdout, /^ +identity +affirming$/m);
    assert.match(stdout, /^token +ey[\w-]+\.[\w-]+\.[\w-]+$/m);
  });

  test('IsHeldAgainstAPolicyInYaml', async () => {
    const policy = await server.write('policy.yaml', `format: warifu.evidence-policy.v1\nregisters:\n  sha256: [0, 4]\n`);
    const { code, stdout } = await judged({ '--policy': policy }, ['--json']);
    assert.equal(code, 1);
    assert.match(JSON.stringify(JSON.parse(stdout).result.findings), /quote\.registers|register.*4/, stdout);
  });

  test('ThatWasForgedIsNoToken', async () => {
    for (const changed of [{ '--nonce': '00'.repeat(32) }, { '--signature': await server.write('other.sig', key.sign('another message')) }]) {
      const { code, stdout } = await judged(changed, ['--json']);
      assert.equal(code, 1, stdout);
      const { result, ear } = JSON.parse(stdout);
      assert.equal(result.overall, 'contraindicated');
      assert.equal(ear, null);
    }
  });

  test('ThatCannotBeReadIsRefusedByName', async () => {
    const cases = [[{ '--ak': await server.write('no.ak', 'no key') }, 2, /ak_public/], [{ '--pcrs': await server.write('no.json', '{') }, 2, /no\.json/],
      [{ '--message': server.file('absent') }, 2, /absent/]];
    for (const [changed, expected, pattern] of cases) {
      const { code, stderr } = await judged(changed);
      assert.equal(code, expected, stderr);
      assert.match(stderr, pattern);
    }
  });
});
