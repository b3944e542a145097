// Holds docs/openapi/warifu-v1.yaml and the server together: every documented operation is called with input that the description
// allows and input that it forbids, every answer is judged by the description, and the routes that are served are those described.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { name_of } from './lib/challenge.mjs';
import { SoftDevice } from './lib/device.mjs';
import { https_request } from './lib/dps_http.mjs';
import { EkMaker } from './lib/ek_maker.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { OpenApi, shape_of } from './lib/openapi.mjs';
import { bad_parameter_values, broken_texts, example_of, spoiled_bodies } from './lib/openapi_cases.mjs';
import { OperatorClient } from './lib/operator_http.mjs';
import { Registration } from './lib/registration.mjs';
import { sas_token } from './lib/sas.mjs';
import { Server } from './lib/server.mjs';
import { Machine } from '../system/lib/machine.mjs';

const kDescription = process.env.WARIFU_OPENAPI ?? fileURLToPath(new URL('../../docs/openapi/warifu-v1.yaml', import.meta.url));
const kOrder = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const kRegistrationId = 'interop-openapi';
const kWaitingId = 'interop-openapi-waiting'; // its device waits for an approval
const kLampId = 'interop-openapi-lamp'; // has symmetric keys
const kPlant = 'interop-plant'; // a group of TPMs
const kLamps = 'interop-lamps'; // a group with symmetric keys
const kAttestedId = 'interop-attested';
const kCertifiedId = 'interop-certified-device'; // has a certificate of ours
const kNobody = 'interop-nobody';
const kWebhook = 'interop-hook';
// What is well-formed and not there.
const kNobodys = { event_id: '00000000-0000-7000-8000-000000000000', ek_name: `000b${'00'.repeat(32)}`, fingerprint: '00'.repeat(32), sha256: '00'.repeat(32), number: 999 };

const api = new OpenApi(kDescription);
const operations = api.operations.filter(({ path }) => path.startsWith('/api/v1/') && !path.startsWith('/api/v1/device/'))
  .sort((a, b) => kOrder.indexOf(a.method) - kOrder.indexOf(b.method));

let server;
let device;
let keys;
let client;
let login_answer;
let serial = 0;
let maker; // of TPMs
let certified_name; // of an EK that came with a certificate
let machine; // that attested
let attested;

const enrollment = (registration_id) => ({ registration_id, attestation: { type: 'tpm', tpm: { endorsement_key: keys.ek.toString('base64') } } });
const group = (group_id) => ({ group_id, attestation: { type: 'tpm', tpm: { naming: '*' } } });

async function made(path, body) {
  const response = await client.send('POST', path, { body });
  assert.ok(response.status < 300, `POST ${path}: ${response.status} ${response.text}`);
  return response.json;
}

async function enroll(registration_id, more = {}) {
  await made('/api/v1/enrollments', { ...enrollment(registration_id), ...more });
  return registration_id;
}

async function make_service_key(name) {
  const response = await client.send('POST', '/api/v1/service-keys', { body: { name } });
  assert.equal(response.status, 201, `POST /api/v1/service-keys: ${response.status} ${response.text}`);
  return name;
}

async function make_webhook(name) {
  await made('/api/v1/webhooks', { name, url: 'http://127.0.0.1:9/nobody' });
  return name;
}

async function make_group(group_id) {
  await made('/api/v1/enrollment-groups', group(group_id));
  return group_id;
}

async function list_ek() {
  const { results } = await made(`/api/v1/enrollment-groups/${kPlant}/eks`, { eks: [keys.ek.toString('base64')] });
  return results[0].ek_name;
}

// A device that was assigned, and comes again with another storage root key.
async function make_waiting_device() {
  await enroll(kWaitingId, { approve_srk_changes: true });
  const before = new Registration({ server, device, keys, registration_id: kWaitingId });
  await before.provision(await before.fresh_token());
  before.close();
  await device.clear();
  keys = await device.identity();
  const registration = new Registration({ server, device, keys, registration_id: kWaitingId });
  await registration.open(await registration.fresh_token());
  registration.close();
}

// Authorities, a CRL, and an EK with its certificate.
async function make_endorsement() {
  maker = new EkMaker(await mkdtemp(path.join(os.tmpdir(), 'warifu-openapi-')), 'Interop');
  await made('/api/v1/ek-roots', { certificates: [text_of('root.pem'), text_of('ca.pem')] });
  maker.crl();
  await made('/api/v1/ek-crls', { crls: [text_of('crl.pem')] });
  kParameters.fingerprint = maker.fingerprint('root');
  const certificate = (await readFile(maker.certify(keys.ek))).toString('base64');
  await made('/api/v1/enrollments', { registration_id: 'interop-certified', attestation: { type: 'tpm', tpm: { endorsement_key: keys.ek.toString('base64'), endorsement_certificate: certificate } } });
  certified_name = key_names().ek_name;
}

// A device of ours that attested, and policies for all, for a group and for a device.
async function make_attestation() {
  machine = await Machine.prepare(server, kAttestedId);
  await machine.boot('grub');
  const { stdout } = await machine.device.administrator(['tpm', 'ek']);
  await made('/api/v1/enrollments', { registration_id: kAttestedId, attestation: { type: 'tpm', tpm: { endorsement_key: stdout.trim() } } });
  await attest();
  const shown = (await client.send('GET', `/api/v1/registrations/${kAttestedId}/attestation`)).json;
  const { json: kept } = await client.send('GET', `/api/v1/registrations/${kAttestedId}/attestation/evidence/1`);
  const extra_data = crypto.createHash('sha256').update(Buffer.from(kept.nonce, 'base64')).digest('base64');
  attested = { event_log: kept.event_log_sha256, verification: { ak_public: shown.ak.public, quote: kept.quote, signature: kept.signature, nonce: extra_data, registers: kept.registers, audience: 'https://broker.example' } };
  await put_policies();
}
async function attest() {
  const told = await machine.attest();
  assert.equal(told.layers.identity, 'affirming', JSON.stringify(told));
  return { registration_id: kAttestedId };
}
async function put_policies() {
  for (const target of ['default', `groups/${kPlant}`, `enrollments/${kRegistrationId}`]) {
    const response = await client.send('PUT', `/api/v1/attestation-policies/${target}`, { body: { policy: { format: 'warifu.evidence-policy.v1' } } });
    assert.ok(response.status < 300, response.text);
  }
  return {};
}
// A certificate of a device, got by EST with a one-time secret, and inactive.
async function make_certificate() {
  await made('/api/v1/enrollments', { registration_id: kCertifiedId, attestation: { type: 'symmetric-key' }, allow_software_keys: true });
  const { reference, secret } = await made(`/api/v1/registrations/${kCertifiedId}/certificate-secret`);
  const key = path.join(server.data_dir, 'certified-device.key');
  const request = execFileSync('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-subj', `/CN=${kCertifiedId}`, '-outform', 'DER'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const authorization = `Basic ${Buffer.from(`${reference}:${secret}`).toString('base64')}`;
  const response = await https_request(`${server.devices_url}/.well-known/est/simpleenroll`, { method: 'POST', ca: readFileSync(server.ca), headers: { Authorization: authorization, 'Content-Type': 'application/pkcs10' }, body: request.toString('base64') });
  assert.equal(response.status, 200, response.text);
  [{ serial: kParameters.serial }] = (await client.send('GET', `/api/v1/certificates?registration_id=${kCertifiedId}`)).json.items;
}

// Another version of it, each time: one name, for there are not many.
const give_key = async () => (await made(`/api/v1/registrations/${kRegistrationId}/application-keys`, { name: 'interop', generate: true })).name;

// Data that a key of ours signed.
const kSigner = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
function package_of(content) {
  const document = Buffer.from(JSON.stringify(content));
  return { document: document.toString('base64'), signature: crypto.sign('sha256', document, kSigner.privateKey).toString('base64'), key: kSigner.publicKey.export({ type: 'spki', format: 'pem' }) };
}
const flaws_package = () => package_of({ format: 'warifu.tpm-flaws.v1', issued: `day ${++serial}`, flaws: [] });
const quirks_package = () => package_of({ format: 'warifu.firmware-quirks.v1', quirks: [], waivers: [] });
async function put_packages() {
  for (const [target, body] of [['tpm-flaws', flaws_package()], ['firmware-quirks', quirks_package()]]) {
    const response = await client.send('PUT', `/api/v1/${target}`, { body });
    assert.ok(response.status < 300, response.text);
  }
  return {};
}
const text_of = (name) => readFileSync(maker.file(name), 'utf8');

const key_names = () => ({ ek_name: name_of(keys.ek.subarray(2)).toString('hex'), srk_name: name_of(keys.srk.subarray(2)).toString('hex') });

// What a description's examples cannot know: names that must exist, or must be new. Everything else comes from the examples.
const kPlan = {
  'POST /api/v1/enrollments': { body: () => enrollment(`interop-openapi-${++serial}`) },
  'DELETE /api/v1/enrollments/{}': { parameters: async () => ({ registration_id: await enroll(`interop-openapi-${++serial}`) }) },
  'PUT /api/v1/enrollments/{}': { body: () => enrollment(kRegistrationId) },
  'GET /api/v1/enrollments/{}/keys': { parameters: () => ({ registration_id: kLampId }) },
  'POST /api/v1/enrollment-groups': { body: () => group(`interop-group-${++serial}`) },
  'PUT /api/v1/enrollment-groups/{}': { body: () => group(kPlant) },
  'DELETE /api/v1/enrollment-groups/{}': { parameters: async () => ({ group_id: await make_group(`interop-group-${++serial}`) }) },
  'GET /api/v1/enrollment-groups/{}/keys': { parameters: () => ({ group_id: kLamps }) },
  'POST /api/v1/enrollment-groups/{}/eks': { body: () => ({ eks: [keys.ek.toString('base64')] }) },
  'DELETE /api/v1/enrollment-groups/{}/eks/{}': { parameters: async () => ({ ek_name: await list_ek() }) },
  'POST /api/v1/enrollment-groups/{}/eks/{}/allow': { parameters: async () => ({ ek_name: await list_ek() }) },
  'POST /api/v1/approvals/{}/approve': { parameters: () => ({ registration_id: kWaitingId }), body: key_names },
  'POST /api/v1/approvals/{}/reject': { parameters: () => ({ registration_id: kWaitingId }), body: key_names },
  'POST /api/v1/alerts/acknowledge': { body: () => ({ registration_id: kWaitingId, kind: 'ek.duplicate', subject: kRegistrationId }) },
  'POST /api/v1/ek-roots': { body: () => ({ certificates: [text_of('root.pem')] }) },
  'POST /api/v1/ek-crls': { body: () => ({ crls: [text_of('crl.pem')] }) },
  'GET /api/v1/ek-certificates/{}': { parameters: () => ({ ek_name: certified_name }) },
  'GET /api/v1/registrations/{}/attestation': { parameters: () => ({ registration_id: kAttestedId }) },
  'GET /api/v1/registrations/{}/attestation/evidence': { parameters: () => ({ registration_id: kAttestedId }) },
  'GET /api/v1/registrations/{}/attestation/evidence/{}': { parameters: () => ({ registration_id: kAttestedId, number: 1 }) },
  'POST /api/v1/registrations/{}/attestation/forget': { parameters: attest },
  'GET /api/v1/event-logs/{}': { parameters: () => ({ sha256: attested.event_log }) },
  'POST /api/v1/attestation/verify': { body: () => attested.verification },
  'DELETE /api/v1/attestation-policies/default': { parameters: put_policies },
  'DELETE /api/v1/attestation-policies/groups/{}': { parameters: put_policies },
  'DELETE /api/v1/attestation-policies/enrollments/{}': { parameters: put_policies },
  'POST /api/v1/attestation-policies/enrollments/{}/test': { parameters: attest },
  'PUT /api/v1/tpm-flaws': { body: flaws_package },
  'DELETE /api/v1/tpm-flaws': { parameters: put_packages },
  'POST /api/v1/tpm-flaws/test': { body: flaws_package },
  'GET /api/v1/firmware-quirks': { parameters: put_packages },
  'PUT /api/v1/firmware-quirks': { body: quirks_package },
  'DELETE /api/v1/firmware-quirks': { parameters: put_packages },
  'POST /api/v1/webhooks': { body: () => ({ name: `interop-${++serial}`, url: 'https://192.0.2.1/hook', event_types: ['io.warifu.alert.raised'] }) },
  'GET /api/v1/webhooks/{}': { parameters: () => ({ name: kWebhook }) },
  'DELETE /api/v1/webhooks/{}': { parameters: async () => ({ name: await make_webhook(`interop-${++serial}`) }) },
  'POST /api/v1/webhooks/{}/secret': { parameters: () => ({ name: kWebhook }) },
  'GET /api/v1/webhooks/{}/waiting/{}': { parameters: async () => ({ name: kWebhook, event_id: (await made(`/api/v1/webhooks/${kWebhook}/test`)).event_id }) },
  'POST /api/v1/webhooks/{}/test': { parameters: () => ({ name: kWebhook }) },
  // Another body each time, for who asks with a key of idempotency.
  'POST /api/v1/registrations/{}/application-keys': { body: () => ({ name: 'interop', key: crypto.randomBytes(32).toString('base64') }) },
  'GET /api/v1/registrations/{}/application-keys/{}': { parameters: async () => ({ name: await give_key() }) },
  'POST /api/v1/registrations/{}/application-keys/{}/rotate': { parameters: async () => ({ name: await give_key() }), body: () => ({ key: crypto.randomBytes(32).toString('base64') }) },
  'POST /api/v1/registrations/{}/application-keys/{}/revoke': { parameters: async () => ({ name: await give_key() }) },
  'POST /api/v1/service-keys': { body: () => ({ name: `interop-${++serial}` }) },
  'DELETE /api/v1/service-keys/{}': { parameters: async () => ({ name: await make_service_key(`interop-${++serial}`) }) },
};
const kParameters = { registration_id: kRegistrationId, device_id: kRegistrationId, group_id: kPlant };
// A bootstrap token works once, and the preparation has used it up: its answer is judged in its place.
const kLogin = 'POST /api/v1/login';

const key_of = ({ method, path }) => `${method} ${shape_of(path)}`;

function judge(operation, response, what = '') {
  const complaint = api.complaint(operation, response);
  assert.equal(complaint, null, `${operation.method} ${operation.path} ${what}: ${complaint}`);
  if (/problem\+json/.test(response.headers['content-type'] ?? '')) assert.equal(response.json.status, response.status, `${what}: the problem names another status`);
}

function judge_refusal(operation, response, what) {
  assert.ok(response.status >= 400 && response.status < 500, `${operation.method} ${operation.path} ${what}: expected a refusal, got ${response.status} ${response.text.slice(0, 300)}`);
  judge(operation, response, what);
}

async function path_parameters(operation) {
  const planned = await kPlan[key_of(operation)]?.parameters?.() ?? {};
  return Object.fromEntries(operation.parameters.filter((parameter) => parameter.in === 'path').map((parameter) => {
    const value = planned[parameter.name] ?? kParameters[parameter.name] ?? example_of(parameter, api);
    assert.notEqual(value, undefined, `${operation.path}: give {${parameter.name}} an example in the description, or a row in kPlan`);
    return [parameter.name, value];
  }));
}

function target_of(operation, values, query = {}) {
  const path = operation.path.replace(/\{([^}]*)\}/g, (_, name) => values[name]);
  const search = new URLSearchParams(query).toString();
  return search === '' ? path : `${path}?${search}`;
}

function valid_body(operation) {
  if (!operation.requestBody) return undefined;
  const body = kPlan[key_of(operation)]?.body?.() ?? example_of(api.resolve(operation.requestBody).content['application/json'], api);
  assert.notEqual(body, undefined, `${operation.method} ${operation.path}: give the body an example in the description, or a row in kPlan`);
  return body;
}

async function call(operation, { query, body = valid_body(operation), ...options } = {}) {
  return client.send(operation.method, target_of(operation, await path_parameters(operation), query), { body, ...options });
}

before(async () => {
  require_isolation();
  device = await SoftDevice.start();
  keys = await device.identity();
  server = await Server.start();
  client = new OperatorClient({ url: server.operators_url, ca: server.ca });
  login_answer = await client.send('POST', '/api/v1/login', { body: { bootstrap_token: server.bootstrap_token } });
  assert.ok(login_answer.json?.access_token, `POST /api/v1/login: ${login_answer.status} ${login_answer.text}`);
  client.token = login_answer.json.access_token;
  await enroll(kRegistrationId);
  const registration = new Registration({ server, device, keys, registration_id: kRegistrationId });
  try {
    await registration.provision(await registration.fresh_token());
  } finally {
    registration.close();
  }
  await made('/api/v1/enrollments', { registration_id: kLampId, attestation: { type: 'symmetric-key' } });
  await made('/api/v1/enrollment-groups', { group_id: kLamps, attestation: { type: 'symmetric-key' } });
  await make_group(kPlant);
  await list_ek();
  await make_webhook(kWebhook);
  await make_waiting_device();
  await make_endorsement();
  await make_attestation();
  await make_certificate();
});
after(async () => {
  client?.close();
  await machine?.stop();
  await server?.stop();
  await device?.stop();
  if (maker) await rm(maker.folder, { recursive: true, force: true });
});

describe('The description', () => {
  test('DescribesSomething', () => assert.ok(operations.length > 0, `${kDescription} describes no operation of /api/v1`));

  test('NamesEveryOperationOnce', () => {
    const ids = api.operations.map(({ id, method, path }) => id ?? assert.fail(`${method} ${path} has no operationId`));
    assert.deepEqual(ids.filter((id, index) => ids.indexOf(id) !== index), []);
  });

  test('KeepsItsOwnExamplesValid', () => {
    for (const operation of api.operations) {
      const content = api.resolve(operation.requestBody)?.content?.['application/json'];
      const example = content && example_of(content, api);
      if (example !== undefined) assert.ok(api.accepts(content.schema, example), `${operation.method} ${operation.path}: the example of the body is not valid`);
    }
  });

  test('HasTheRoutesThatAreServedAndNoOthers', async () => {
    const served = (await server.routes()).filter(({ path }) => path.startsWith('/api/v1/')).map(key_of).sort();
    const described = api.operations.filter(({ path }) => path.startsWith('/api/v1/')).map(key_of).sort();
    assert.deepEqual(served.filter((route) => !described.includes(route)), [], 'served and not described');
    assert.deepEqual(described.filter((route) => !served.includes(route)), [], 'described and not served');
    assert.deepEqual(served, described);
  });
});

describe('Permissions', () => {
  test('AreThoseThatAreDescribed', async () => {
    const access = new Map((await server.routes()).map((route) => [key_of(route), route.access]));
    for (const operation of operations.filter(({ open }) => !open)) {
      const described = api.document.paths[operation.path][operation.method.toLowerCase()]['x-permission'];
      assert.equal(access.get(key_of(operation)), described, key_of(operation));
    }
  });
});

describe('On the devices listener', () => {
  const kCms = Buffer.from('301006092a864886f70d010703a00330015a', 'hex'); // the outer structure is all that the server sees
  const operation_of = (id) => api.operations.find((operation) => operation.id === id) ?? assert.fail(`${id} is not described`);
  let devices;
  before(() => (devices = new OperatorClient({ url: server.devices_url, ca: server.ca })));
  after(() => devices?.close());

  const hub_key = async () => Buffer.from((await client.send('GET', `/api/v1/devices/${kRegistrationId}/hub-key`)).json.primary_key, 'base64');
  async function put(body, key) {
    const sign = (text) => crypto.createHmac('sha256', key).update(text).digest();
    const digest = crypto.createHash('sha256').update(Buffer.from(String(body?.package ?? ''), 'base64')).digest('hex');
    const token = await sas_token({ name: `${server.id_scope}/registrations/${kRegistrationId}/escrow/${digest}`, sign });
    return devices.send('PUT', '/api/v1/device/escrow', { token: null, body, headers: { Authorization: token.replace('skn=registration', 'skn=device') } });
  }

  test('TheEscrowCertificateIsAsDescribed', async () => {
    const response = await devices.send('GET', '/api/v1/device/escrow-certificate', { token: null });
    assert.equal(response.status, 200, response.text);
    judge(operation_of('showEscrowCertificate'), response);
  });

  test('TrustBundlesAreAsDescribed', async () => {
    const ask = (id, path, headers) => devices.send('GET', `/api/v1/device/trust-bundle${path}`, { token: null, headers }).then((response) => (judge(operation_of(id), response), response));
    const latest = await ask('showTrustBundle', '');
    assert.equal(latest.status, 200, latest.text);
    assert.equal((await ask('showTrustBundle', '', { 'If-None-Match': latest.headers.etag })).status, 304);
    assert.deepEqual((await ask('showTrustBundleVersion', '/1')).json, latest.json);
    for (const [path, status] of [['/2', 404], ['/9007199254740991', 404], ['/0', 400], ['/x', 400]])
      assert.equal((await ask('showTrustBundleVersion', path)).status, status, path);
  });

  test('ADepositIsAsDescribedAndSoIsItsList', async () => {
    const response = await put({ package: kCms.toString('base64') }, await hub_key());
    assert.equal(response.status, 204, response.text);
    judge(operation_of('depositEscrow'), response);
    const listed = await client.send('GET', `/api/v1/devices/${kRegistrationId}/escrow`);
    judge(operation_of('showEscrow'), listed);
    assert.equal(listed.json.packages[0].package, kCms.toString('base64'));
  });

  test('ADepositIsRefusedAsDescribed', async () => {
    const operation = operation_of('depositEscrow');
    const key = await hub_key();
    for (const [title, body] of spoiled_bodies(api.body_schema(operation), { package: kCms.toString('base64') }, api)) {
      if (!api.accepts(api.body_schema(operation), body)) judge_refusal(operation, await put(body, key), title);
    }
    const stranger = await put({ package: kCms.toString('base64') }, crypto.randomBytes(32));
    assert.equal(stranger.status, 401, stranger.text);
    judge(operation, stranger);
  });
});

describe('Without credentials', () => {
  test('EveryRouteOfTheOperatorsListenerAnswers401UnlessDescribedAsOpen', async () => {
    const open = new Set(api.operations.filter((operation) => operation.open).map(key_of));
    const routes = (await server.routes()).filter(({ listener }) => listener === 'operators');
    assert.ok(routes.length > 0, 'no route on the operators listener');
    const answered = [];
    for (const route of routes) {
      if (open.has(key_of(route))) continue;
      const target = route.path.replace(/\{[^}]*\}/g, kNobody);
      const { status } = await client.send(route.method, target, { token: null });
      if (status !== 401) answered.push(`${key_of(route)}: ${status} (access "${route.access}")`);
    }
    assert.deepEqual(answered, [], 'routes that answer without credentials and are not described with security: []');
  });

  test('OnlyWhatIsDescribedAsOpenIsServedAsOpen', async () => {
    const routes = await server.routes();
    for (const operation of operations) {
      const route = routes.find((candidate) => key_of(candidate) === key_of(operation));
      assert.equal(/^(open|public)/.test(route?.access ?? ''), operation.open, `${key_of(operation)}: access "${route?.access}"`);
    }
  });
});

for (const operation of operations) {
  describe(`${operation.method} ${operation.path}`, () => {
    test('AnswersValidInputAsDescribed', async () => {
      const response = key_of(operation) === kLogin ? login_answer : await call(operation);
      assert.ok(response.status < 300, `expected success, got ${response.status} ${response.text.slice(0, 300)}`);
      judge(operation, response);
    });

    if (!operation.open) {
      for (const [title, token] of [['no credentials', null], ['a token that nobody was given', 'warifu_access_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'], ['a token that is no token', 'x']]) {
        test(`Refuses: ${title}`, async () => {
          const response = await call(operation, { token });
          assert.equal(response.status, 401, response.text);
          judge(operation, response, title);
        });
      }
    }

    for (const parameter of operation.parameters.filter(({ in: place }) => place === 'query')) {
      test(`TakesTheParameter: ${parameter.name}`, async () => {
        const value = example_of(parameter, api);
        assert.notEqual(value, undefined, `give ${parameter.name} an example in the description`);
        const response = await call(operation, { query: { [parameter.name]: value } });
        assert.ok(response.status < 300, `${response.status} ${response.text.slice(0, 300)}`);
        judge(operation, response, parameter.name);
      });
      for (const value of bad_parameter_values(parameter, api)) {
        test(`Refuses: ${parameter.name}=${value}`, async () => judge_refusal(operation, await call(operation, { query: { [parameter.name]: value } }), `${parameter.name}=${value}`));
      }
    }

    if (operation.parameters.some(({ name }) => name === 'Idempotency-Key')) {
      test('HappensOnceForAnIdempotencyKey', async () => {
        const headers = { 'Idempotency-Key': crypto.randomUUID() };
        const body = valid_body(operation);
        const first = await call(operation, { body, headers });
        const again = await call(operation, { body, headers });
        for (const response of [first, again]) judge(operation, response, 'under a key');
        assert.deepEqual([again.status, again.text, again.headers.location], [first.status, first.text, first.headers.location]);
        assert.deepEqual([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']], [undefined, 'true']);
        const other = await call(operation, operation.requestBody ? { headers } : { headers, body: {} });
        assert.equal(other.status, 422, other.text);
        judge(operation, other, 'another body under the same key');
        judge_refusal(operation, await call(operation, { headers: { 'Idempotency-Key': 'k'.repeat(65) } }), 'a key that is too long');
      });
    }

    for (const { name } of operation.parameters.filter(({ in: place }) => place === 'path')) {
      // A PUT makes what is not there.
      if (operation.method !== 'PUT') {
        test(`Answers404ForAnUnknown: ${name}`, async () => {
          const nobody = kNobodys[name] ?? kNobody;
          const response = await client.send(operation.method, target_of(operation, { ...await path_parameters(operation), [name]: nobody }), { body: valid_body(operation) });
          assert.equal(response.status, 404, response.text);
          judge(operation, response, name);
        });
      }
      test(`RefusesAMalformed: ${name}`, async () => {
        for (const value of ['%20', '-', '%00', 'x'.repeat(300), '%2F']) {
          const response = await client.send(operation.method, target_of(operation, { ...await path_parameters(operation), [name]: value }), { body: valid_body(operation) });
          judge_refusal(operation, response, `${name} "${value}"`);
        }
      });
    }

    if (!operation.requestBody) return;
    test('RefusesWhatIsNoJsonObject', async () => {
      const optional = operation.requestBody.required === false;
      for (const [title, text] of [...broken_texts(valid_body(operation))].filter(([, text]) => !optional || text !== '')) judge_refusal(operation, await call(operation, { body: text }), title);
    });
    test('RefusesABodyThatTheSchemaForbids', async () => {
      const schema = api.body_schema(operation);
      let tried = 0;
      for (const [title, body] of spoiled_bodies(schema, valid_body(operation), api)) {
        if (api.accepts(schema, body)) continue;
        judge_refusal(operation, await call(operation, { body }), title);
        ++tried;
      }
      assert.ok(tried > 0, 'the schema of the body forbids nothing');
    });
  });
}
