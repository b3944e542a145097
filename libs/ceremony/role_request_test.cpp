#include "ceremony/role_request.h"

#include <gtest/gtest.h>

#include "crypto/certificate_request.h"

namespace warifu::ceremony {
namespace {

using pki::Role;

crypto::PrivateKey new_key() {
  return crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
}

TEST(RoleRequests, AreReadAsTheyWereMade) {
  for (const Role role : pki::kRoles) {
    const auto key = new_key();
    const auto read = RoleRequest::parse(make_role_request(role, "Example Power & Söhne", key).value()).value();
    EXPECT_EQ(read.role, role);
    EXPECT_EQ(read.organisation, "Example Power & Söhne");
    EXPECT_TRUE(read.key == key.public_key());
  }
}

TEST(RoleRequests, AreForARole) {
  const auto key = new_key();
  for (const char* name : {"Example root", "Example", "escrow", " escrow", "Example escrow "}) {
    const auto der = crypto::make_certificate_request({.common_name = name}, key).value();
    EXPECT_EQ(RoleRequest::parse(to_base64(der)).error().code, "role.request") << name;
  }
}

TEST(RoleRequests, AreNotBelievedOnceTheyWereChanged) {
  const std::string pem = make_role_request(Role::kEscrow, "Example", new_key()).value();
  for (std::size_t size = 0; size + 2 < pem.size(); size += 7)
    EXPECT_FALSE(RoleRequest::parse(std::string_view(pem).substr(0, size))) << size;
  for (std::size_t at = 40; at + 40 < pem.size(); at += 11) {
    std::string changed = pem;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    const auto read = RoleRequest::parse(changed);
    EXPECT_TRUE(!read || changed == pem) << at;
  }
}

}  // namespace
}  // namespace warifu::ceremony
