#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/private_key.h"
#include "crypto/system_entropy.h"
#include "trust_bundle/trusted_bundle.h"

namespace warifu::trust_bundle {

// Midnight, so many days after the organisation began.
inline Timestamp day(int number) {
  return Timestamp(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)) + std::chrono::days(number);
}

inline RoleName role_name(std::string_view text) {
  return RoleName::parse(text).value();
}

// People and machines with keys, each made when it is first named: on P-384 if the name is in capitals.
class TestOrganisation {
 public:
  const crypto::PrivateKey& key(const std::string& name) {
    const auto kind = name.front() < 'a' ? crypto::KeyKind::kEcP384 : crypto::KeyKind::kEcP256;
    if (!keys_.contains(name)) keys_.emplace(name, crypto::PrivateKey::generate(kind));
    return keys_.at(name);
  }
  crypto::PublicKey public_key(const std::string& name) { return key(name).public_key(); }
  KeyId id(const std::string& name) { return KeyId::of(public_key(name)); }

  KeySet set(std::size_t threshold, const std::vector<std::string>& names) {
    KeySet set{threshold, {}};
    for (const auto& name : names)
      set.keys.push_back(SigningKey::of(public_key(name)).value());
    return set;
  }

  // The certificate of a root of this name, the same each time.
  Listed root(const std::string& name) {
    if (!roots_.contains(name)) roots_.emplace(name, issue(name, name, nullptr));
    return Listed::of(roots_.at(name)).value();
  }
  // A new certificate for the role key `name`.
  Listed certified(const std::string& name, const std::string& by) {
    const auto issuer = root(by);
    return Listed::of(issue(name, by, &issuer.certificate)).value();
  }
  Role role(std::string_view name, const std::string& key, const std::string& by) {
    Role role{role_name(name), {}};
    role.certificates.push_back(certified(key, by));
    return role;
  }
  Revoked revoked(const std::string& name, std::string_view role, Timestamp at = day(1)) {
    return {id(name), role_name(role), at, Reason::kKeyCompromise};
  }

  // Version 1: two of Ann, bob and Cid sign, two of Xia, yul and Zoe revoke.
  Contents first() {
    Contents contents;
    contents.organisation = "Example Meters";
    contents.version = 1;
    contents.issued_at = day(0);
    contents.expires_at = day(365);
    contents.signing = set(2, {"Ann", "bob", "Cid"});
    contents.revocation = set(2, {"Xia", "yul", "Zoe"});
    contents.roots.push_back(root("Root-1"));
    contents.roles.push_back(role("server-communication", "server", "Root-1"));
    contents.roles.push_back(role("code-signing", "code", "Root-1"));
    return contents;
  }
  // What comes after it, so far with nothing changed but version and times.
  static Contents after(const TrustedBundle& current) {
    Contents contents = current.contents().clone();
    contents.version += 1;
    contents.issued_at += std::chrono::days(1);
    contents.expires_at += std::chrono::days(1);
    return contents;
  }
  // The same with its end where it was, as who only revokes must leave it.
  static Contents revoking(const TrustedBundle& current, std::initializer_list<Revoked> more) {
    Contents contents = after(current);
    contents.expires_at = current.contents().expires_at;
    contents.revoked.insert(contents.revoked.end(), more);
    return contents;
  }

  Envelope signed_by(const Contents& contents, const std::vector<std::string>& names) {
    auto envelope = Envelope::of(Payload::write(contents).value());
    for (const auto& name : names)
      EXPECT_TRUE(envelope.sign(key(name)));
    return envelope;
  }
  // The bundle after `current`, which must be taken.
  TrustedBundle take(const TrustedBundle& current, const Contents& next, const std::vector<std::string>& names) {
    auto taken = current.advance(signed_by(next, names));
    EXPECT_TRUE(taken) << to_string(taken.error());
    EXPECT_TRUE(*taken) << "nothing new";
    return taken.value().value();
  }
  TrustedBundle begun() {
    return TrustedBundle::begin(signed_by(first(), {"Root-1", "Ann", "bob"}), root("Root-1").certificate).value();
  }

 private:
  crypto::Certificate issue(const std::string& name, const std::string& by, const crypto::Certificate* issuer) {
    const crypto::CertificateProfile profile{.common_name = name,
                                             .not_before = day(0),
                                             .not_after = day(36500),
                                             .is_ca = true,
                                             .path_length = issuer == nullptr ? 1u : 0u};
    return crypto::issue_certificate(profile, public_key(name), issuer, key(by), entropy_).value();
  }

  crypto::SystemEntropy entropy_;
  std::map<std::string, crypto::PrivateKey> keys_;
  std::map<std::string, crypto::Certificate> roots_;
};

// "" when there is no error.
template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : std::string(result.error().code);
}

}  // namespace warifu::trust_bundle
