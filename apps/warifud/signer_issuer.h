#pragma once

#include <mutex>
#include <optional>

#include "device_ca/issuer.h"
#include "frames/channel.h"

namespace warifu::warifud {

// The endpoint-identity role, whose key is the signer's. Each call asks it.
class SignerIssuer final : public device_ca::Issuer {
 public:
  // Outlives it.
  explicit SignerIssuer(frames::Channel& signer) : signer_(signer) {}

  // The role's certificate as it stands now; nothing where the organisation has none.
  void set_certificate(std::optional<crypto::Certificate> certificate);

  Result<crypto::Certificate> certificate() override;
  Result<crypto::Certificate> certify(const pki::DeviceOrder& order, ByteView public_key) override;
  Result<crypto::Certificate> certify_responder(pki::ResponderPurpose purpose, ByteView public_key,
                                                std::chrono::seconds lifetime) override;
  Status begin_crl(const crypto::CrlShape& shape) override;
  Status add_to_crl(std::uint64_t number, std::span<const crypto::RevokedCertificate> entries) override;
  Result<Bytes> finish_crl(std::uint64_t number) override;

 private:
  // What the signer sends is believed no more than that it is what was asked for.
  Result<crypto::Certificate> checked(ByteView der);

  frames::Channel& signer_;
  std::mutex mutex_;
  std::optional<crypto::Certificate> certificate_;
};

}  // namespace warifu::warifud
