// Who makes TPMs, by the openssl command: a root, an authority below it, EK certificates and CRLs by that.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// The prefix before the first dot is cut off by OpenSSL: names may come twice in a section.
const kConfig = `
[ca]
default_ca = here
[here]
database = index
crlnumber = crlnumber
default_md = sha256
default_crl_days = 30
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[ek]
basicConstraints = critical, CA:FALSE
keyUsage = critical, keyEncipherment
extendedKeyUsage = 2.23.133.8.1
subjectAltName = critical, dirName:tpm
[signing]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = 2.23.133.8.1
subjectAltName = critical, dirName:tpm
[tpm]
x.2.23.133.2.1 = id:49465800
x.2.23.133.2.2 = SLB9670
x.2.23.133.2.3 = id:0007
`;

/** The key in a TPM2B_PUBLIC of an RSA-2048 EK, as PEM. */
function spki_of(ek) {
  return crypto.createPublicKey({ key: { kty: 'RSA', n: ek.subarray(-256).toString('base64url'), e: 'AQAB' }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
}

export class EkMaker {
  /** In a folder of its own, which need not be there yet. */
  constructor(folder, label) {
    this.folder_ = folder;
    this.serial_ = 100;
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of [['config', kConfig], ['index', ''], ['crlnumber', '01\n']]) writeFileSync(this.file(name), text);
    for (const name of ['root', 'ca']) {
      this.openssl_('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`);
      this.openssl_('req', '-new', '-config', 'config', '-key', `${name}.key`, '-subj', `/O=Infineon Technologies AG/CN=${label} ${name}`, '-out', `${name}.csr`);
    }
    this.openssl_('x509', '-req', '-in', 'root.csr', '-signkey', 'root.key', '-days', '30', '-extfile', 'config', '-extensions', 'authority', '-out', 'root.pem');
    this.openssl_('x509', '-req', '-in', 'ca.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-set_serial', '2', '-days', '30', '-extfile', 'config', '-extensions', 'authority', '-out', 'ca.pem');
  }

  get folder() {
    return this.folder_;
  }

  file(name) {
    return path.join(this.folder_, name);
  }

  /** SHA-256 of "root" or "ca". */
  fingerprint(name) {
    return new crypto.X509Certificate(readFileSync(this.file(`${name}.pem`))).fingerprint256.replaceAll(':', '').toLowerCase();
  }

  /** The file of a certificate for this EK, in DER. */
  certify(ek, { kind = 'ek' } = {}) {
    const name = `ek${++this.serial_}`;
    writeFileSync(this.file(`${name}.pub`), spki_of(ek));
    this.openssl_('x509', '-req', '-in', 'ca.csr', '-force_pubkey', `${name}.pub`, '-subj', '/', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', String(this.serial_),
      '-days', '30', '-extfile', 'config', '-extensions', kind, '-outform', 'DER', '-out', `${name}.der`);
    return this.file(`${name}.der`);
  }

  /** The file of a CRL in PEM that revokes these certificates' files. */
  crl(...certificates) {
    for (const file of certificates) {
      this.openssl_('x509', '-in', file, '-inform', 'DER', '-out', `${file}.pem`);
      this.openssl_('ca', '-config', 'config', '-revoke', `${file}.pem`, '-cert', 'ca.pem', '-keyfile', 'ca.key');
    }
    this.openssl_('ca', '-config', 'config', '-gencrl', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-out', 'crl.pem');
    return this.file('crl.pem');
  }

  openssl_(...args) {
    return execFileSync('openssl', args, { cwd: this.folder_, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}
