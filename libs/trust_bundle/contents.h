#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "trust_bundle/key_id.h"

namespace warifu::trust_bundle {

// What a role is called, known to this program or not: 1..64 of a to z, 0 to 9 and '-'. "bundle.format".
struct RoleNameKind {
  static Result<std::string> check(std::string_view text);
};
using RoleName = TextId<RoleNameKind>;

// Keys of which so many must sign together.
struct KeySet {
  std::size_t threshold = 0;
  std::vector<SigningKey> keys;

  KeySet clone() const;
  bool has(const KeyId& id) const;
  // The same keys in the same order, and as many of them.
  friend bool operator==(const KeySet& a, const KeySet& b);
};

// A certificate as it stands in a bundle: DER, its key in the one encoding. "bundle.certificate".
struct Listed {
  crypto::Certificate certificate;
  KeyId key;

  static Result<Listed> parse(ByteView der);
  static Result<Listed> of(const crypto::Certificate& certificate);
  Listed clone() const { return {certificate.clone(), key}; }
  friend bool operator==(const Listed& a, const Listed& b);
};

struct Role {
  RoleName name;
  std::vector<Listed> certificates;

  Role clone() const;
  friend bool operator==(const Role&, const Role&) = default;
};

// RFC 5280 §5.3.1, those that are used.
enum class Reason { kKeyCompromise, kSuperseded, kCessation };

// "key-compromise"
std::string_view to_string(Reason reason);
Result<Reason> parse_reason(std::string_view text);  // "bundle.format"

// A key that is believed no more. It counts from the moment that the bundle is believed; `at` and `reason` are for
// people, and for who judges what the key signed before.
struct Revoked {
  KeyId key;
  RoleName role;  // what the key was for
  Timestamp at;
  Reason reason;

  friend bool operator==(const Revoked&, const Revoked&) = default;
};

// What a bundle says. Anybody may fill one in: Payload::write() holds it to the rules, signatures make it a bundle.
struct Contents {
  std::string organisation;
  std::uint64_t version = 0;
  Timestamp issued_at;
  Timestamp expires_at;
  KeySet signing;
  KeySet revocation;  // the master revocation keys
  std::vector<Listed> roots;
  std::vector<Role> roles;
  std::vector<Revoked> revoked;

  Contents clone() const;
  // nullptr when the key is not revoked.
  const Revoked* revocation_of(const KeyId& key) const;
};

}  // namespace warifu::trust_bundle
