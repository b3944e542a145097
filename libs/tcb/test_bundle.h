#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "tcb/test_handshake.h"
#include "trust_bundle/envelope.h"

// Trust bundles of a TestOrganisation.
namespace warifu::tcb {

inline trust_bundle::RoleName role_name(std::string_view text) {
  return trust_bundle::RoleName::parse(text).value();
}

inline trust_bundle::Listed listed(const TestIdentity& identity) {
  return trust_bundle::Listed::of(identity.certificate).value();
}

inline trust_bundle::KeySet only(const crypto::PrivateKey& key) {
  trust_bundle::KeySet set{1, {}};
  set.keys.push_back(trust_bundle::SigningKey::of(key.public_key()).value());
  return set;
}

inline trust_bundle::Role bundle_role(std::string_view name, const TestIdentity& identity) {
  trust_bundle::Role role{role_name(name), {}};
  role.certificates.push_back(listed(identity));
  return role;
}

// Version 1, from the day before kTestNow for 31 days: one root, which signs, its roles of servers and of
// devices, and an escrow.
inline trust_bundle::Contents first_bundle(const TestOrganisation& organisation, const TestIdentity& escrow,
                                           const crypto::PrivateKey& revocation) {
  trust_bundle::Contents contents;
  contents.organisation = "Example";
  contents.version = 1;
  contents.issued_at = kTestNow - kTestDay;
  contents.expires_at = kTestNow + 30 * kTestDay;
  contents.signing = only(organisation.root().key);
  contents.revocation = only(revocation);
  contents.roots.push_back(listed(organisation.root()));
  contents.roles.push_back(bundle_role("server-communication", organisation.role()));
  contents.roles.push_back(bundle_role("escrow", escrow));
  contents.roles.push_back(bundle_role("endpoint-identity", organisation.endpoint_identity()));
  return contents;
}

inline trust_bundle::Envelope signed_bundle(const trust_bundle::Contents& contents,
                                            std::initializer_list<const crypto::PrivateKey*> keys) {
  auto envelope = trust_bundle::Envelope::of(trust_bundle::Payload::write(contents).value());
  for (const auto* key : keys)
    EXPECT_TRUE(envelope.sign(*key));
  return envelope;
}

}  // namespace warifu::tcb
