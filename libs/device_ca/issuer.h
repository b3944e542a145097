#pragma once

#include <span>

#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "device_ca/records.h"
#include "pki/device_certificate.h"

namespace warifu::device_ca {

// Where the key of the endpoint-identity role signs: warifu-signer behind it, or a key of a test. Each call may take
// seconds. Safe to call from several threads. Errors are those of the signer: kUnavailable "signer.unreachable",
// kThrottled "signer.budget", kRefused "signer.*".
class Issuer {
 public:
  virtual ~Issuer() = default;

  // The role's certificate: the issuer of all of them. kNotFound "signer.role" where the organisation has none.
  virtual Result<crypto::Certificate> certificate() = 0;
  virtual Result<crypto::Certificate> certify(const pki::DeviceOrder& order, ByteView public_key) = 0;
  virtual Result<crypto::Certificate> certify_responder(pki::ResponderPurpose purpose, ByteView public_key,
                                                        std::chrono::seconds lifetime) = 0;

  // A list of what is revoked, made in parts by whoever has the entries.
  virtual Status begin_crl(const crypto::CrlShape& shape) = 0;
  virtual Status add_to_crl(std::uint64_t number, std::span<const crypto::RevokedCertificate> entries) = 0;
  // The signature for crypto::CrlWriter::finish().
  virtual Result<Bytes> finish_crl(std::uint64_t number) = 0;
};

}  // namespace warifu::device_ca
