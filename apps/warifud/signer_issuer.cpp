#include "warifud/signer_issuer.h"

#include <algorithm>

#include "signer_protocol/codec.h"
#include "signer_protocol/limits.h"

namespace warifu::warifud {
namespace {

using namespace signer_protocol;

Bytes text_of(const crypto::RevokedCertificate& entry) {
  return CrlEntry{to_unix_seconds(entry.revoked_at), static_cast<std::uint8_t>(entry.reason),
                  to_bytes(entry.serial.bytes())}
      .bytes();
}

}  // namespace

void SignerIssuer::set_certificate(std::optional<crypto::Certificate> certificate) {
  const std::lock_guard lock(mutex_);
  certificate_ = std::move(certificate);
}

Result<crypto::Certificate> SignerIssuer::certificate() {
  const std::lock_guard lock(mutex_);
  if (certificate_) return certificate_->clone();
  return Error{
      ErrorKind::kNotFound, "signer.role",
      "this organisation has no certificate of the role endpoint-identity: `warifu-signer status` shows the roles "
      "that there are"};
}

Result<crypto::Certificate> SignerIssuer::checked(ByteView der) {
  TRY(auto made, crypto::Certificate::from_der(der));
  TRY(const auto issuer, certificate());
  if (made.issued_by(issuer)) return made;
  return Error{ErrorKind::kUnavailable, "signer.answer",
               "the signer's endpoint-identity role is not the one whose certificate this server has: reload it"};
}

Result<crypto::Certificate> SignerIssuer::certify(const pki::DeviceOrder& order, ByteView public_key) {
  TRY(const auto answer, call(signer_, CertifyDevice{.identity = static_cast<std::uint8_t>(order.identity),
                                                     .protection = static_cast<std::uint8_t>(order.protection),
                                                     .device = order.device.text(),
                                                     .public_key = to_bytes(public_key),
                                                     .serial = to_bytes(order.serial.bytes()),
                                                     .not_before = to_unix_seconds(order.not_before),
                                                     .not_after = to_unix_seconds(order.not_after),
                                                     .hardware_serial = order.hardware_serial,
                                                     .crl_url = order.places.crl_url,
                                                     .ocsp_url = order.places.ocsp_url,
                                                     .issuer_url = order.places.issuer_url}));
  return checked(answer.certificate);
}

Result<crypto::Certificate> SignerIssuer::certify_responder(pki::ResponderPurpose purpose, ByteView public_key,
                                                            std::chrono::seconds lifetime) {
  TRY(const auto answer, call(signer_, CertifyResponder{static_cast<std::uint8_t>(purpose), to_bytes(public_key),
                                                        static_cast<std::uint64_t>(lifetime.count())}));
  return checked(answer.certificate);
}

Status SignerIssuer::begin_crl(const crypto::CrlShape& shape) {
  TRY_STATUS(call(signer_, BeginCrl{shape.number, to_unix_seconds(shape.this_update),
                                    to_unix_seconds(shape.next_update), shape.size.entries, shape.size.bytes}));
  return {};
}

Status SignerIssuer::add_to_crl(std::uint64_t number, std::span<const crypto::RevokedCertificate> entries) {
  while (!entries.empty()) {
    const auto part = entries.first(std::min(entries.size(), kCrlEntriesMax));
    AddToCrl request{number, {}};
    request.entries.reserve(part.size());
    for (const auto& entry : part)
      request.entries.push_back(text_of(entry));
    TRY_STATUS(call(signer_, request));
    entries = entries.subspan(part.size());
  }
  return {};
}

Result<Bytes> SignerIssuer::finish_crl(std::uint64_t number) {
  TRY(auto answer, call(signer_, FinishCrl{number}));
  return std::move(answer.signature);
}

}  // namespace warifu::warifud
