#include "tcb/device_certificates.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crypto/digest_signature.h"
#include "tcb/handshake_content.h"
#include "tcb/state_record.h"
#include "tpm_types/signature.h"

namespace warifu::tcb {
namespace {

// RFC 8446 §4.4.3.
constexpr std::string_view kClientContext = "TLS 1.3, client CertificateVerify";

Error none_waits() {
  return {ErrorKind::kConflict, "tcb.certificate.none",
          "no key waits for a certificate, or it is one for another key: prove a key first"};
}

// Half of the life where the server's word makes no sense: a certificate that is never renewed would end in the field.
Timestamp renewal_of(const crypto::Certificate& certificate, Timestamp asked) {
  const Timestamp begin = certificate.not_before(), end = certificate.not_after();
  const Timestamp chosen = asked > begin && asked < end ? asked : begin + (end - begin) / 2;
  return std::chrono::floor<std::chrono::seconds>(chosen);
}

Result<Bytes> der_of(ByteView tpmt_signature) {
  TRY(const auto signature, tpm::parse_signature(tpmt_signature));
  const auto* ecdsa = std::get_if<tpm::EcdsaSignature>(&signature);
  if (ecdsa == nullptr)
    return Error{ErrorKind::kUnavailable, "tpm.signature", "the TPM signed by another scheme than the key's"};
  return crypto::ecdsa_der(ecdsa->r, ecdsa->s);
}

}  // namespace

Result<CertificatesRecord> DeviceCertificates::record() {
  TRY(auto found, read_record(files_, journal_, CertificatesRecord::kFile, parse_certificates_record));
  return std::move(found).value_or(CertificatesRecord());
}

Status DeviceCertificates::keep(const CertificatesRecord& record) {
  return files_.replace(CertificatesRecord::kFile, write_certificates(record));
}

// All three lie under the SRK that is no more.
Status DeviceCertificates::drop(CertificatesRecord record, const Error& why) {
  journal_.warn("the LDevID of this device is no more: " + to_string(why));
  record.waiting.reset();
  record.current.reset();
  record.previous.reset();
  return keep(record);
}

Result<WrappedObject> DeviceCertificates::waiting_key(bool anew) {
  TRY(auto known, record());
  if (known.waiting && !anew) {
    const auto opened = tpm_.open_key(*known.waiting);
    if (opened) return *std::move(known.waiting);
    if (opened.error().code != kKeyDead) return opened.error();
    TRY_STATUS(drop(std::exchange(known, {}), opened.error()));
    TRY(known, record());
  }
  TRY(known.waiting, tpm_.create_ldevid());
  TRY_STATUS(keep(known));
  return *std::move(known.waiting);
}

Result<DeviceCertificates::Proof> DeviceCertificates::prove_ldevid(const crypto::Digest& extra_data, bool anew) {
  TRY(auto key, waiting_key(anew));
  TRY(auto attestation, tpm_.certify(key, extra_data));
  return Proof{.public_area = std::move(key.public_area), .attestation = std::move(attestation)};
}

Result<DeviceCertificates::Proof> DeviceCertificates::prove_idevid(const crypto::Digest& extra_data) {
  TRY(auto made, tpm_.certify_idevid(extra_data));
  return Proof{std::move(made.public_area), std::move(made.certification), std::move(made.creation_data)};
}

Status DeviceCertificates::accept_ldevid(std::vector<Bytes> chain, Timestamp renew_after,
                                         const DeviceCertificateDemands& demands) {
  TRY(auto known, record());
  // Asked again after an answer that was lost.
  if (known.current && !chain.empty() && known.current->issued.chain.front() == chain.front()) return {};
  if (!known.waiting) return none_waits();
  TRY(const auto certificate, check_device_certificate(chain, known.waiting->public_area, true, demands));
  // An attacker on the disk may have put the key of another time there.
  TRY_STATUS(tpm_.open_key(*known.waiting));
  known.previous = std::exchange(known.current, std::nullopt);
  known.current.emplace(CertificatesRecord::LDevId{*std::exchange(known.waiting, std::nullopt),
                                                   {std::move(chain), renewal_of(certificate, renew_after)}});
  return keep(known);
}

Status DeviceCertificates::accept_idevid(std::vector<Bytes> chain, Timestamp renew_after,
                                         const DeviceCertificateDemands& demands) {
  TRY(auto known, record());
  if (known.idevid && known.idevid->chain == chain) return {};
  TRY(const auto key, tpm_.idevid());
  TRY(const auto certificate, check_device_certificate(chain, key, false, demands));
  known.idevid.emplace(CertificatesRecord::Issued{std::move(chain), renewal_of(certificate, renew_after)});
  return keep(known);
}

Result<DeviceCertificates::Shown> DeviceCertificates::shown() {
  TRY(auto known, record());
  if (!known.current) return Shown{std::move(known)};
  const auto opened = tpm_.open_key(known.current->key);
  if (opened) return Shown{std::move(known)};
  // Unreachable, in lockout or disturbed says nothing about the key.
  if (opened.error().code != kKeyDead) return opened.error();
  TRY_STATUS(drop(std::move(known), opened.error()));
  TRY(auto left, record());
  return Shown{std::move(left), true};
}

Result<Bytes> DeviceCertificates::sign(const VerifiedServer&, const ClientAuthentication& handshake) {
  TRY(auto known, record());
  const CertificatesRecord::LDevId* used = nullptr;
  for (const auto* one : {&known.current, &known.previous})
    if (*one && std::ranges::equal((*one)->issued.chain.front(), handshake.certificates.front())) used = &**one;
  if (used == nullptr)
    return Error{ErrorKind::kRefused, "tcb.certificate.other",
                 "the handshake shows another certificate than this device's LDevID"};
  // The curve's hash, whatever the suite's is (RFC 8446 §4.2.3, ecdsa_secp256r1_sha256).
  const Bytes content = handshake_content(kClientContext, handshake.transcript);
  auto signature = tpm_.sign(used->key, crypto::digest(crypto::HashAlgorithm::kSha256, {content}));
  if (signature) return der_of(*signature);
  if (signature.error().code == kKeyDead) TRY_STATUS(drop(std::move(known), signature.error()));
  return signature.error();
}

Status DeviceCertificates::forget_ldevids() {
  TRY(auto known, record());
  if (!known.waiting && !known.current && !known.previous) return {};
  known.waiting.reset();
  known.current.reset();
  known.previous.reset();
  return keep(known);
}

}  // namespace warifu::tcb
