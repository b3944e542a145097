#include "ek_trust/judge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ek_trust/test_maker.h"

namespace warifu::ek_trust {
namespace {

using endorsement::X509Certificate;
using test::Maker;

// What was imported, and how often CRLs and keys were asked for.
class Imported final : public RecordsView {
 public:
  void import(Role role, const Bytes& der) {
    const auto certificate = X509Certificate::parse(der).value();
    authorities_.push_back({.scope = scope,
                            .sha256 = sha256_of(der),
                            .subject_sha256 = name_digest(certificate.subject),
                            .issuer_sha256 = name_digest(certificate.issuer),
                            .key_sha256 = key_digest(certificate),
                            .role = role,
                            .certificate = der,
                            .imported_at = {}});
  }

  Result<std::vector<Authority>> find_authorities_named(const ScopeId&, ByteView subject, std::size_t) override {
    std::vector<Authority> found;
    std::ranges::copy_if(authorities_, std::back_inserter(found),
                         [&](const Authority& one) { return std::ranges::equal(one.subject_sha256, subject); });
    return found;
  }
  Result<std::vector<StoredCrl>> find_crls_of(const ScopeId&, ByteView, std::size_t) override {
    ++crls_asked;
    return std::vector<StoredCrl>();
  }
  Result<std::optional<Authority>> find_distrusted_of_key(const ScopeId&, ByteView) override {
    ++keys_asked;
    return std::optional<Authority>();
  }

  Result<std::optional<Authority>> find_authority(const ScopeId&, ByteView) override { std::abort(); }
  Result<std::vector<Authority>> list_authorities(const ScopeId&, const Page&) override { std::abort(); }
  Result<std::vector<Authority>> find_authorities_issued_by(const ScopeId&, ByteView, std::size_t) override {
    std::abort();
  }
  Result<std::vector<Authority>> find_authorities_of_key(const ScopeId&, ByteView, std::size_t) override {
    std::abort();
  }
  Result<std::size_t> count_authorities(const ScopeId&, std::size_t) override { std::abort(); }
  Result<std::optional<CrlInfo>> find_crl(const ScopeId&, ByteView) override { std::abort(); }
  Result<std::vector<CrlInfo>> list_crls(const ScopeId&, const Page&) override { std::abort(); }
  Result<std::size_t> count_crls(const ScopeId&, std::size_t) override { std::abort(); }
  Result<std::optional<StoredEkCertificate>> find_ek_certificate(const ScopeId&, ByteView) override { std::abort(); }
  Result<std::vector<StoredEkCertificate>> list_ek_certificates_of(const ScopeId&, ByteView, const Page&) override {
    std::abort();
  }

  const ScopeId scope = ScopeId::parse("0wf00000001").value();
  int crls_asked = 0;
  int keys_asked = 0;  // of authorities on whose signatures something may rest

 private:
  std::vector<Authority> authorities_;
};

class JudgeTest : public testing::Test {
 protected:
  static endorsement::EkCertificate certified_by(const Maker& maker) {
    auto from = endorsement::test::ek_template(maker.ca_name);
    return endorsement::EkCertificate::parse(endorsement::test::certificate(from, Maker::key(), maker.ca_key)).value();
  }
  static std::vector<X509Certificate> read(std::initializer_list<Bytes> ders) {
    std::vector<X509Certificate> read;
    for (const Bytes& der : ders)
      read.push_back(X509Certificate::parse(der).value());
    return read;
  }
  std::string refusal(const endorsement::EkCertificate& certificate, std::initializer_list<Bytes> intermediates) {
    std::optional<Error> refusal;
    Judge judge(imported_, imported_.scope, std::nullopt);
    EXPECT_TRUE(judge.authorities(certificate, read(intermediates), refusal)->empty());
    return refusal ? std::string(refusal->code) + ": " + refusal->message : "";
  }

  Imported imported_;
  const Maker maker_{"Test"};
};

TEST_F(JudgeTest, ALineThatCameIsProvedFromTheTopDown) {
  imported_.import(Role::kRoot, maker_.root());
  std::optional<Error> refusal;
  Judge judge(imported_, imported_.scope, std::nullopt);
  const auto found = judge.authorities(certified_by(maker_), read({maker_.ca()}), refusal);
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(*found, (std::vector{sha256_of(maker_.ca()), sha256_of(maker_.root())}));
}

TEST_F(JudgeTest, WhatWasMadeUpIsNotReadOnFor) {
  imported_.import(Role::kRoot, maker_.root());
  const Maker stranger{"Test"};  // the same names, other keys
  EXPECT_TRUE(refusal(certified_by(stranger), {stranger.ca()})
                  .starts_with("endorsement.path.signature: authorities named \"CN=Test Root,"));
  EXPECT_EQ(imported_.crls_asked, 0);
  EXPECT_EQ(imported_.keys_asked, 1) << "the root that was imported, and nothing that was made up";
}

TEST_F(JudgeTest, TheAuthorityThatIsMissingIsTheOneAboveAllThatCame) {
  imported_.import(Role::kRoot, Maker{"Other"}.root());
  EXPECT_TRUE(refusal(certified_by(maker_), {maker_.ca()})
                  .starts_with("endorsement.path.missing-ca: the authority \"CN=Test Root,"));
}

}  // namespace
}  // namespace warifu::ek_trust
