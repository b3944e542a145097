#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmp/server.h"
#include "crypto/digest_signature.h"
#include "crypto/ec.h"
#include "crypto/system_entropy.h"
#include "crypto/test_cmp_client.h"
#include "sim/deterministic.h"

// A CA in memory, a server over it, and clients of OpenSSL: for the tests of this library.
namespace warifu::cmp {

using crypto::Certificate;
using crypto::CertificateProfile;
using crypto::CmpFailure;
using crypto::PrivateKey;
using Body = crypto::asn1::PkiBody;

inline constexpr std::string_view kReference = "3f2a-device-1";
inline constexpr std::string_view kSecret = "VdqNW1nAHFBkxuTGHcsaaA";

class TestIssuer final : public Issuer {
 public:
  struct Secret {
    std::string value;
    std::optional<Bytes> spent_by = {};
  };

  explicit TestIssuer(Timestamp now_)
      : now(now_), root_key(PrivateKey::generate(crypto::KeyKind::kEcP256)), root(made("root", root_key, true)) {}

  Certificate made(std::string name, const PrivateKey& key, bool is_ca = false) {
    return made(name, key.public_key(), is_ca);
  }
  Certificate made(std::string name, const crypto::PublicKey& key, bool is_ca = false) {
    const CertificateProfile profile{.common_name = std::move(name),
                                     .not_before = now - std::chrono::hours(1),
                                     .not_after = now + std::chrono::hours(1000),
                                     .is_ca = is_ca};
    return *crypto::issue_certificate(profile, key, is_ca ? nullptr : &root, root_key, entropy);
  }

  Result<SecretBytes> secret(std::string_view reference, ByteView transaction) override {
    const std::lock_guard lock(mutex);
    if (secret_error) return *secret_error;
    const auto found = secrets.find(std::string(reference));
    if (found == secrets.end()) return refused("certificate.secret", "no such reference");
    const auto& spent_by = found->second.spent_by;
    if (spent_by && *spent_by != to_bytes(transaction)) return refused("certificate.secret", "spent");
    return SecretBytes::copy_of(as_bytes(found->second.value));
  }

  Result<std::string> identify(const Certificate& signer, std::span<const Certificate>) override {
    if (!signer.issued_by(root)) return refused("certificate.unknown", "a stranger");
    return signer.common_name();
  }

  Result<Decision> issue(const Order& order) override {
    if (on_issue) {
      if (auto decision = on_issue(order)) return std::move(*decision);
    }
    const std::lock_guard lock(mutex);
    ++issue_calls;
    last_body = order.body;
    last_names = order.names;
    last_asker = key_of(order.asker);
    const Bytes transaction = to_bytes(order.transaction);
    if (const auto* by = std::get_if<BySecret>(&order.asker)) {
      auto& spent_by = secrets.at(by->reference).spent_by;
      if (spent_by && *spent_by != transaction) return refused("certificate.secret", "spent");
      spent_by = transaction;
    }
    if (const auto found = issued.find(transaction); found != issued.end()) return given(found->second);
    Certificate certificate = made(order.names.common_name, order.key);
    issued.emplace(transaction, certificate.clone());
    return given(certificate);
  }

  Status confirm(ByteView, const Certificate& certificate) override {
    const std::lock_guard lock(mutex);
    if (confirm_error) return *confirm_error;
    confirmed.push_back(certificate.serial());
    return {};
  }

  Status withdraw(ByteView transaction, const Certificate& certificate) override {
    const std::lock_guard lock(mutex);
    if (withdraw_error) return *withdraw_error;
    issued.erase(to_bytes(transaction));
    withdrawn.push_back(certificate.serial());
    return {};
  }

  Status revoke(const Asker& asker, const crypto::CmpRevocation& revocation, ByteView) override {
    const std::lock_guard lock(mutex);
    if (revoke_error) return *revoke_error;
    if (!revocation.certificate.is_issued_by(root))
      return Error{ErrorKind::kNotFound, "certificate.unknown", "not ours"};
    revoked.emplace_back(key_of(asker), to_bytes(revocation.certificate.serial.bytes()), revocation.reason);
    return {};
  }

  Result<std::vector<Certificate>> ca_certificates() override {
    std::vector<Certificate> certificates;
    certificates.push_back(root.clone());
    return certificates;
  }

  Timestamp now;
  crypto::SystemEntropy entropy;
  PrivateKey root_key;
  Certificate root;

  std::mutex mutex;
  std::map<std::string, Secret> secrets;
  std::map<Bytes, Certificate> issued;  // by transaction
  std::vector<Bytes> confirmed;
  std::vector<Bytes> withdrawn;
  std::vector<std::tuple<std::string, Bytes, crypto::RevocationReason>> revoked;
  int issue_calls = 0;
  std::optional<crypto::CmpBody> last_body;
  crypto::RequestedNames last_names;
  std::string last_asker;
  // Decides instead; nullopt: as always. Called without the lock.
  std::function<std::optional<Result<Decision>>(const Order&)> on_issue;
  std::optional<Error> secret_error, confirm_error, withdraw_error, revoke_error;

 private:
  Decision given(const Certificate& certificate) const {
    Issued decision{certificate.clone(), {}};
    decision.chain.push_back(root.clone());
    return decision;
  }
};

struct World {
  explicit World(const Limits& limits_ = {})
      : clock(std::chrono::time_point_cast<std::chrono::microseconds>(SystemClock().now())),
        issuer(clock.now()),
        cmp_key(PrivateKey::generate(crypto::KeyKind::kEcP256)),
        limits(limits_) {
    issuer.secrets[std::string(kReference)] = {std::string(kSecret)};
    restart();
  }
  void restart() {
    server.reset();
    server = std::make_unique<Server>(issuer, credential(cmp_key), clock, monotonic, entropy, limits);
  }
  Credential credential(crypto::Signer key) {
    const auto public_key = key.public_key();
    return *Credential::of(issuer.made("cmp", public_key), {}, std::move(key));
  }
  void pass(std::chrono::nanoseconds time) { monotonic.advance(time); }
  void expire() { EXPECT_TRUE(server->expire()); }
  // From now on its answers to signed requests are signed elsewhere, or not while `is_away`.
  void sign_elsewhere(const bool& is_away) {
    const auto point = *crypto::ec_public_key(cmp_key.public_key());
    server->use(
        credential(crypto::Signer::outside(point, [this, &is_away](const crypto::Digest& digest) -> Result<Bytes> {
          if (is_away) return Error{ErrorKind::kUnavailable, "signer.away", "no signer"};
          return crypto::sign_digest(cmp_key, digest);
        })));
  }

  // Straight into the server; `tamper` may change a request on its way.
  crypto::CmpClient::Transfer transfer() {
    return [this](Bytes request) {
      if (tamper) request = tamper(std::move(request));
      last = server->answer(request);
      return last.der;
    };
  }
  std::string code() const { return last.error ? std::string(last.error->code) : ""; }
  crypto::SeenAnswer answer(ByteView request) {
    last = server->answer(request);
    return crypto::seen(last.der);
  }
  // The first request of a client with the secret, which nobody answers.
  Bytes opening(int type = OSSL_CMP_IR, std::string_view reference = kReference, std::string_view secret = kSecret,
                const std::function<void(crypto::CmpClient&)>& prepare = nullptr) {
    crypto::CmpClient client([](Bytes) { return Bytes(); });
    client.by_secret(reference, secret);
    client.want("device-1", device_key);
    if (prepare) prepare(client);
    EXPECT_FALSE(client.ask(type));
    EXPECT_EQ(client.requests().size(), 1U);
    return client.requests().empty() ? Bytes() : client.requests().front();
  }

  sim::SteppingClock clock;
  sim::SteppingMonotonicClock monotonic;
  crypto::SystemEntropy entropy;
  TestIssuer issuer;
  PrivateKey cmp_key;
  PrivateKey device_key = PrivateKey::generate(crypto::KeyKind::kEcP256);
  Limits limits;
  std::unique_ptr<Server> server;
  std::function<Bytes(Bytes)> tamper;
  Answer last;
};

inline int bit(CmpFailure failure) {
  return static_cast<int>(failure);
}

}  // namespace warifu::cmp
