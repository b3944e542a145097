// Certificates as a manufacturer would make them, by the openssl command: authorities in any depth, devices, any validity.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const kDay = 24 * 3600 * 1000;
const kExtensions = {
  authority: 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign',
  device: 'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = clientAuth',
};
const kConfig = `
[ca]
default_ca = here
[here]
database = index
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[name]
[authority]
${kExtensions.authority}
[device]
${kExtensions.device}
[req]
distinguished_name = name
`;

/** YYYYMMDDHHMMSSZ, as `openssl ca` takes it. */
const openssl_time = (date) => `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;

/** A folder of keys and certificates. */
export class Pki {
  static async make() {
    const pki = new Pki(await mkdtemp(path.join(os.tmpdir(), 'warifu-pki-')));
    await writeFile(pki.file_('config'), kConfig);
    await writeFile(pki.file_('index'), '');
    return pki;
  }

  constructor(folder) {
    this.folder_ = folder;
    this.count_ = 0;
  }

  remove() {
    return rm(this.folder_, { recursive: true, force: true });
  }

  /** An authority: its own root, or under `issuer`. {name, pem, key, chain}: `chain` is what it sends along, without the root. */
  authority(name, { issuer = null, ...validity } = {}) {
    return this.issue_({ name, kind: 'authority', issuer, ...validity });
  }

  /** A device's certificate under `issuer`, self-signed without. `not_before` and `not_after` are dates. */
  device(name, { issuer = null, ...validity } = {}) {
    return this.issue_({ name, kind: 'device', issuer, ...validity });
  }

  file_(name) {
    return path.join(this.folder_, name);
  }

  async issue_({ name, kind, issuer, not_before = new Date(Date.now() - kDay), not_after = new Date(Date.now() + 30 * kDay) }) {
    const file = `c${++this.count_}`;
    const openssl = (...args) => promisify(execFile)('openssl', args, { cwd: this.folder_ });
    await openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${file}.key`);
    await openssl('req', '-new', '-config', 'config', '-key', `${file}.key`, '-subj', `/CN=${name}`, '-out', `${file}.csr`);
    const signer = issuer ? ['-cert', `${issuer.file}.pem`, '-keyfile', `${issuer.file}.key`] : ['-selfsign', '-keyfile', `${file}.key`];
    await openssl('ca', '-config', 'config', '-batch', '-notext', '-extensions', kind, ...signer,
      '-startdate', openssl_time(not_before), '-enddate', openssl_time(not_after), '-in', `${file}.csr`, '-out', `${file}.pem`);
    const [pem, key] = await Promise.all([readFile(this.file_(`${file}.pem`), 'utf8'), readFile(this.file_(`${file}.key`), 'utf8')]);
    const is_root = issuer === null;
    return { name, file, pem, key, chain: is_root && kind === 'authority' ? '' : pem + (issuer?.chain ?? '') };
  }
}
