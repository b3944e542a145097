#include "net/tls_credentials.h"

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

Result<TlsCredentials> make(std::string_view chain, std::string_view key) {
  return TlsCredentials::make(chain, SecretBytes::copy_of(as_bytes(key)), SystemClock().now());
}

TEST(TlsCredentials, AreMadeFromAChainAndItsKey) {
  const Identity leaf = make_identity("leaf");
  const Identity intermediate = make_identity("intermediate");
  EXPECT_TRUE(make(leaf.certificate_pem, leaf.key_pem));
  EXPECT_TRUE(make(leaf.certificate_pem + "\n" + intermediate.certificate_pem, leaf.key_pem));
}

TEST(TlsCredentials, RefuseWhatDoesNotFit) {
  const Identity leaf = make_identity("leaf");
  const Identity other = make_identity("other");
  const Identity expired = make_identity("expired", std::chrono::seconds(-60));
  const std::string truncated = leaf.certificate_pem.substr(0, leaf.certificate_pem.size() / 2);
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + leaf.key_pem.substr(leaf.key_pem.find('\n') + 1);
  const struct {
    std::string_view name, chain, key, code;
  } rows[] = {
      {"no certificate", "", leaf.key_pem, "tls.certificate.pem"},
      {"a key for a certificate", leaf.key_pem, leaf.key_pem, "tls.certificate.pem"},
      {"half a certificate", truncated, leaf.key_pem, "tls.certificate.pem"},
      {"an expired one", expired.certificate_pem, expired.key_pem, "tls.certificate.expired"},
      {"no key", leaf.certificate_pem, "", "tls.key.pem"},
      {"an encrypted key", leaf.certificate_pem, encrypted, "tls.key.pem"},
      {"the key of another", leaf.certificate_pem, other.key_pem, "tls.key.mismatch"},
  };
  for (const auto& row : rows) {
    const auto made = make(row.chain, row.key);
    ASSERT_FALSE(made) << row.name;
    EXPECT_EQ(made.error().code, row.code) << row.name << ": " << to_string(made.error());
  }
  const auto half_an_intermediate = make(leaf.certificate_pem + truncated, leaf.key_pem);
  ASSERT_FALSE(half_an_intermediate);
  EXPECT_EQ(half_an_intermediate.error().code, "tls.certificate.pem");
}

}  // namespace
}  // namespace warifu::net::test
