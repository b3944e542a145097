#pragma once

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <map>
#include <string>
#include <vector>

#include "crypto/cms.h"
#include "signer/service.h"
#include "sim/deterministic.h"

// A signer in memory: its keys, its journal, and who asks it.
namespace warifu::signer {

using pki::Role;

inline const Timestamp kNow{std::chrono::seconds(1'790'000'000)};
inline constexpr Caller kServer{.user = 990, .is_server = true, .is_administrator = false};
inline constexpr Caller kRoot{.user = 0, .is_server = false, .is_administrator = true};

// Keys at hand, made when they are first asked for.
class TestKeys final : public RoleKeys {
 public:
  const crypto::PrivateKey& key(Role role) {
    return keys_.try_emplace(role, crypto::PrivateKey::generate(crypto::KeyKind::kEcP256)).first->second;
  }
  Result<crypto::Signer> signer(Role role) override {
    if (is_gone) return Error{ErrorKind::kUnavailable, "pkcs11.call", "the token was taken out"};
    ++signers;
    return crypto::Signer(key(role));
  }
  Result<SecretBytes> open_escrow(ByteView package) override {
    return crypto::cms_decrypt(key(Role::kEscrow), package);
  }

  int signers = 0;
  bool is_gone = false;

 private:
  std::map<Role, crypto::PrivateKey> keys_;
};

class TestJournal final : public Journal {
 public:
  Status add(boost::json::object entry) override {
    if (is_full) return Error{ErrorKind::kUnavailable, "file.write", "no space left on device"};
    lines.push_back(boost::json::serialize(entry));
    return {};
  }
  void tell(const std::string& refusal) override { told.push_back(refusal); }
  std::vector<std::string> lines;
  std::vector<std::string> told;
  bool is_full = false;
};

class SignerTest : public testing::Test {
 protected:
  SignerTest() {
    for (const Role role : {Role::kServerCommunication, Role::kEndpointIdentity, Role::kEscrow})
      organisation_.roles.emplace(
          role, pki::certify_role(role, "Example", keys_.key(role).public_key(), root_, clock_, entropy_).value());
  }
  static pki::Authority make_root() {
    crypto::Signer key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256));
    const sim::SteppingClock clock(kNow);
    sim::SeededEntropy entropy(1);
    auto certificate = pki::certify_root("Example", key, clock, entropy).value();
    return {std::move(certificate), std::move(key)};
  }
  std::string_view refusal(const Caller& caller, const auto& request) {
    const auto answer = service_.handle(caller, request);
    return answer ? "" : answer.error().code;
  }

  sim::SteppingClock clock_{kNow};
  sim::SteppingMonotonicClock monotonic_;
  sim::SeededEntropy entropy_{2};
  TestKeys keys_;
  TestJournal journal_;
  const pki::Authority root_ = make_root();
  Organisation organisation_{"Example", root_.certificate.clone(), {}};
  Service service_{{organisation_, keys_, journal_, clock_, monotonic_, entropy_},
                   {.names = {"dps.example.com", "192.0.2.1", "2001:DB8:0:0:0:0:0:1"}, .certificates_a_day = 3},
                   {.certificates_a_day = 3, .responders_a_day = 2}};
};

}  // namespace warifu::signer
