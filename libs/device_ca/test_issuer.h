#pragma once

#include <memory>
#include <optional>

#include "crypto/digest_signature.h"
#include "device_ca/issuer.h"

// The endpoint-identity role with its key in memory, as the signer behind it would answer.
namespace warifu::device_ca::test {

// The keys of an organisation, which outlive a server's process.
struct OrganisationKeys {
  crypto::PrivateKey root = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  crypto::PrivateKey role = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
};

class KeyIssuer final : public Issuer {
 public:
  KeyIssuer(const Clock& clock, Entropy& entropy,
            std::shared_ptr<const OrganisationKeys> keys = std::make_shared<const OrganisationKeys>())
      : clock_(clock), entropy_(entropy), keys_(std::move(keys)), root_(make_root()) {
    auto role =
        pki::certify_role(pki::Role::kEndpointIdentity, "Example", keys_->role.public_key(), root_, clock, entropy);
    role_.emplace(std::move(*role));
  }

  Result<crypto::Certificate> certificate() override { return role_->clone(); }
  Result<crypto::Certificate> certify(const pki::DeviceOrder& order, ByteView public_key) override {
    if (is_away) return Error{ErrorKind::kUnavailable, "signer.unreachable", "nobody answers"};
    ++signatures;
    TRY(const auto key, crypto::PublicKey::from_spki(public_key));
    return pki::certify_device(order, "Example", key, authority(), entropy_);
  }
  Result<crypto::Certificate> certify_responder(pki::ResponderPurpose purpose, ByteView public_key,
                                                std::chrono::seconds lifetime) override {
    if (is_away) return Error{ErrorKind::kUnavailable, "signer.unreachable", "nobody answers"};
    TRY(const auto key, crypto::PublicKey::from_spki(public_key));
    return pki::certify_responder(purpose, "Example", key, authority(), lifetime, clock_, entropy_);
  }
  Status begin_crl(const crypto::CrlShape& shape) override {
    if (is_away) return Error{ErrorKind::kUnavailable, "signer.unreachable", "nobody answers"};
    TRY(auto digest, crypto::CrlDigest::begin(*role_, shape));
    crl_.emplace(std::move(digest));
    return {};
  }
  Status add_to_crl(std::uint64_t, std::span<const crypto::RevokedCertificate> entries) override {
    return crl_->add(entries);
  }
  Result<Bytes> finish_crl(std::uint64_t) override {
    TRY(const auto digest, crl_->finish());
    return crypto::sign_digest(crypto::Signer(keys_->role), digest);
  }

  const pki::Authority& root() const { return root_; }

  bool is_away = false;
  int signatures = 0;

 private:
  pki::Authority make_root() {
    crypto::Signer key(keys_->root);
    auto certificate = pki::certify_root("Example", key, clock_, entropy_).value();
    return {std::move(certificate), std::move(key)};
  }
  pki::Authority authority() const { return {role_->clone(), crypto::Signer(keys_->role)}; }

  const Clock& clock_;
  Entropy& entropy_;
  const std::shared_ptr<const OrganisationKeys> keys_;
  const pki::Authority root_;
  std::optional<crypto::Certificate> role_;
  std::optional<crypto::CrlDigest> crl_;
};

}  // namespace warifu::device_ca::test
