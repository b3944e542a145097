// Attestation results as a relying party reads them: jose, which others wrote, with the keys of the JWK Set.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { SignJWT, UnsecuredJWT, createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { require_isolation } from './lib/isolation.mjs';
import { OperatorClient } from './lib/operator_http.mjs';
import { Server } from './lib/server.mjs';

const kAudience = 'https://broker.example';
const kRelyingNonce = crypto.randomBytes(16).toString('base64url');

const u16 = (value) => Buffer.from([value >> 8, value & 0xff]);
const u32 = (value) => Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
const sized = (bytes) => Buffer.concat([u16(bytes.length), bytes]);
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest();

/** Evidence of a software AK: a quote of sha256:0, with which a restricted key of a TPM would answer `nonce`. */
function evidence(nonce) {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const ak = Buffer.concat([u16(0x23), u16(0x0b), u32(0x00050072), sized(Buffer.alloc(0)), u16(0x10), u16(0x18), u16(0x0b), u16(3), u16(0x10),
    sized(Buffer.from(x, 'base64url')), sized(Buffer.from(y, 'base64url'))]);
  const register = Buffer.alloc(32, 7);
  const name = Buffer.concat([u16(0x0b), sha256(ak)]);
  const quote = Buffer.concat([u32(0xff544347), u16(0x8018), sized(name), sized(nonce), Buffer.alloc(8), u32(1), u32(0), Buffer.from([1]), Buffer.alloc(8),
    u32(1), u16(0x0b), Buffer.from([3, 1, 0, 0]), sized(sha256(register))]);
  const raw = crypto.sign('sha256', quote, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const signature = Buffer.concat([u16(0x18), u16(0x0b), sized(raw.subarray(0, 32)), sized(raw.subarray(32))]);
  return { ak_public: ak.toString('base64'), quote: quote.toString('base64'), signature: signature.toString('base64'), nonce: nonce.toString('base64'),
    registers: { sha256: { 0: register.toString('hex') } }, audience: kAudience, eat_nonce: kRelyingNonce };
}

let server;
let client;
let token;
let jwks;
let keys;
const expected = () => ({ audience: kAudience, issuer: `warifu/${server.id_scope}`, typ: 'eat+jwt', algorithms: ['ES256'] });

before(async () => {
  require_isolation();
  server = await Server.start();
  client = new OperatorClient({ url: server.operators_url, ca: server.ca });
  const login = await client.send('POST', '/api/v1/login', { token: null, body: { bootstrap_token: server.bootstrap_token } });
  client.token = login.json.access_token;
  const answer = await client.send('POST', '/api/v1/attestation/verify', { body: evidence(crypto.randomBytes(32)) });
  assert.equal(answer.status, 200, answer.text);
  token = answer.json.ear;
  jwks = (await client.send('GET', '/.well-known/jwks.json', { token: null })).json;
  keys = createLocalJWKSet(jwks);
});
after(async () => {
  client?.close();
  await server?.stop();
});

describe('A result', () => {
  test('IsTakenByALibraryThatOthersWrote', async () => {
    const { payload } = await jwtVerify(token, keys, expected());
    assert.equal(payload.eat_profile, 'tag:ietf.org,2026:rats/ear#04');
    assert.equal(payload.eat_nonce, kRelyingNonce);
    assert.equal(payload.submods.tpm.ear_trustworthiness_vector['instance-identity'], 2);
    assert.equal(payload.submods.tpm.ear_trustworthiness_vector.executables, 0);
  });

  test('HasAHeaderThatLeadsNowhereElse', () => assert.deepEqual(Object.keys(decodeProtectedHeader(token)).sort(), ['alg', 'kid', 'typ']));

  test('IsForItsAudienceOnly', () => assert.rejects(jwtVerify(token, keys, { ...expected(), audience: 'https://other.example' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' }));

  test('Expires', () => assert.rejects(jwtVerify(token, keys, { ...expected(), currentDate: new Date(Date.now() + 301_000) }), { code: 'ERR_JWT_EXPIRED' }));

  test('IsRefusedWithAnotherPayload', async () => {
    const [header, payload, signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const swapped = Buffer.from(JSON.stringify({ ...claims, ear_status: 'affirming' })).toString('base64url');
    await assert.rejects(jwtVerify([header, swapped, signature].join('.'), keys, expected()), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  });

  test('IsRefusedWithoutASignatureAndUnderTheOldTricks', async () => {
    const { payload } = await jwtVerify(token, keys, expected());
    const { kid } = decodeProtectedHeader(token);
    await assert.rejects(jwtVerify(new UnsecuredJWT(payload).encode(), keys, expected()));
    const public_key = Buffer.from(JSON.stringify(jwks.keys[0]));
    await assert.rejects(jwtVerify(await new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: 'eat+jwt', kid }).sign(public_key), keys, expected()));
    const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const name of [kid, 'another', '../../dev/null']) {
      const forged = await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'eat+jwt', kid: name }).sign(privateKey);
      await assert.rejects(jwtVerify(forged, keys, expected()), name);
    }
  });
});
