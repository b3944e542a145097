// The compat listener at localhost:443: clients made for Azure DPS, unmodified transports, TLS 1.2 too. A TPM there is what
// provisioning.test.mjs shows at length on the devices listener.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { SoftDevice } from './lib/device.mjs';
import { https_request } from './lib/dps_http.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { kDefaultClientPort } from './lib/mssim_bridge.mjs';
import { OperatorClient } from './lib/operator_http.mjs';
import { Pki } from './lib/pki.mjs';
import { Server } from './lib/server.mjs';
import { ServiceClient } from './lib/service_client.mjs';
import { assert_assigned, run_vendor_sdk } from './lib/vendor.mjs';

const kOldNode = ['--tls-max-v1.2', '--tls-min-v1.2']; // a client that knows nothing newer
const kKeyId = 'interop-compat-key';
const kX509Id = 'interop-compat-x509';
const key = crypto.randomBytes(32).toString('base64');

let server;
let operator;
let device;
let keys;
let pki;
let certificate;

before(async () => {
  require_isolation();
  device = await SoftDevice.start({ port: kDefaultClientPort });
  keys = await device.identity();
  pki = await Pki.make();
  certificate = await pki.device(kX509Id);
  server = await Server.start({ devices: '127.0.0.1:8443', compat: '127.0.0.1:443' });
  operator = await OperatorClient.log_in(server);
  await operator.enroll(keys.registration_id, { type: 'tpm', tpm: { endorsement_key: keys.ek.toString('base64') } });
  await operator.enroll(kKeyId, { type: 'symmetric-key', symmetric_key: { primary_key: key } });
  await operator.enroll(kX509Id, { type: 'x509', x509: { primary: certificate.pem } });
});
after(async () => {
  operator?.close();
  await server?.stop();
  await device?.stop();
  await pki?.remove();
});

const kDevices = {
  'a TPM': () => ({ registration_id: keys.registration_id }),
  'a symmetric key': () => ({ registration_id: kKeyId, symmetric_key: key }),
  'a certificate': () => ({ registration_id: kX509Id, x509: { cert: certificate.pem, key: certificate.key } }),
};

function register(request, options) {
  return run_vendor_sdk({ do: 'register', host: 'localhost', id_scope: server.id_scope, ...request }, { ca: server.ca, ...options });
}

/** What the version of TLS is after a handshake at `url`; throws what the handshake failed with. */
function handshake(url, options) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: hostname, port: Number(port || 443), servername: 'localhost', ca: readFileSync(server.ca), ...options });
    socket.once('error', reject).once('secureConnect', () => {
      resolve({ version: socket.getProtocol(), cipher: socket.getCipher().standardName });
      socket.destroy();
    });
  });
}

/** The value of the metric that has these labels; 0 if there is none. */
async function metric(name, labels = {}) {
  const lines = (await operator.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const fitting = lines.filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)));
  return fitting.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

describe('On the compat listener the unmodified SDK is assigned', () => {
  for (const [title, request] of Object.entries(kDevices)) {
    test(`With: ${title}`, async () => {
      assert_assigned(await register(request()), request().registration_id);
    });

    test(`WithNothingNewerThanTls12And: ${title}`, async () => {
      const before = await metric('warifu_tls_handshakes_total', { listener: 'compat', version: '1.2', result: 'ok' });
      assert_assigned(await register(request(), { node_options: kOldNode }), request().registration_id);
      const after = await metric('warifu_tls_handshakes_total', { listener: 'compat', version: '1.2', result: 'ok' });
      assert.ok(after > before, `no handshake of TLS 1.2 was counted: ${before} -> ${after}`);
    });
  }
});

describe('TLS', () => {
  test('Is13WhereBothCan', async () => {
    assert.equal((await handshake(server.compat_url)).version, 'TLSv1.3');
  });

  test('Is12OnTheCompatListenerOnly', async () => {
    assert.equal((await handshake(server.compat_url, { maxVersion: 'TLSv1.2' })).version, 'TLSv1.2');
    for (const url of [server.devices_url, server.operators_url]) {
      await assert.rejects(handshake(url, { maxVersion: 'TLSv1.2' }), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    }
  });

  test('IsNeverOlder', async () => {
    for (const version of ['TLSv1.1', 'TLSv1']) {
      await assert.rejects(handshake(server.compat_url, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }),
        { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' }, version);
    }
  });

  test('TakesNoCipherWithoutAnEphemeralKeyOrWithoutAead', async () => {
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA384']) {
      await assert.rejects(handshake(server.compat_url, { maxVersion: 'TLSv1.2', ciphers }), { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' }, ciphers);
    }
    assert.match((await handshake(server.compat_url, { maxVersion: 'TLSv1.2' })).cipher, /^TLS_ECDHE_ECDSA_.*(GCM|POLY1305)/);
  });
});

describe('The compat listener', () => {
  test('IsAFindingThatMetricsAndLogTell', async () => {
    assert.equal(await metric('warifu_compat_listener_enabled'), 1);
    assert.match(server.log, /warning the compat listener is open at 127\.0\.0\.1:443/);
  });

  test('ServesOperatorsAndDevicesOfTheVendorsSdksUnderOneHost', async () => {
    const { connection_string } = await operator.must(201, 'POST', '/api/v1/service-keys', { body: { name: 'interop-compat' } });
    const service = new ServiceClient({ connection_string, ca: server.ca });
    const registrationId = 'interop-compat-by-service';
    await service.must('createOrUpdateIndividualEnrollment', { registrationId, attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: key, secondaryKey: key } } });
    assert_assigned(await register({ registration_id: registrationId, symmetric_key: key }), registrationId);
    const state = await service.must('getDeviceRegistrationState', registrationId);
    assert.equal(state.status, 'assigned');
  });

  test('ServesNothingOfOurOwn', async () => {
    for (const [method, target] of [['GET', '/healthz'], ['GET', '/metrics'], ['GET', '/api/v1/id-scope'], ['GET', '/api/v1/device/escrow-certificate']]) {
      const response = await https_request(`${server.compat_url}${target}`, { method, ca: readFileSync(server.ca), headers: { Authorization: `Bearer ${operator.token}` } });
      assert.equal(response.status, 404, `${method} ${target}: ${response.status}`);
      assert.equal(response.json?.errorCode, 404000, response.text);
    }
  });

  test('IsClosedUnlessItIsAskedFor', async () => {
    const closed = await Server.start({ devices: '127.0.0.2:8443' });
    const client = await OperatorClient.log_in(closed);
    try {
      assert.equal(closed.compat_url, undefined);
      assert.match(await client.metrics(), /^warifu_compat_listener_enabled 0$/m);
      assert.doesNotMatch(closed.log, /compat listener/);
    } finally {
      client.close();
      await closed.stop();
    }
  });

  test('IsOpenedByTheConfigurationFileToo', async () => {
    const configured = await Server.start({ devices: '127.0.0.2:8443', config: '[listen]\ncompat = "127.0.0.2:0"\n' });
    try {
      assert.equal((await handshake(configured.compat_url, { maxVersion: 'TLSv1.2', ca: readFileSync(configured.ca) })).version, 'TLSv1.2');
    } finally {
      await configured.stop();
    }
  });

  test('TakesTheRenewedCertificateAfterSighup', async () => {
    const fingerprint = async () => new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port: 443, servername: 'localhost', ca: readFileSync(server.ca) });
      socket.once('error', reject).once('secureConnect', () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
    });
    const before = await fingerprint();
    await server.renew_certificate();
    for (const deadline = Date.now() + 10_000; await fingerprint() === before; ) assert.ok(Date.now() < deadline, 'the old certificate is still shown');
  });
});
