// What ek_trust may rely on for authorities, CRLs and EK certificates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"

namespace warifu::store {
namespace {

using ek_trust::Authority;
using ek_trust::CrlInfo;
using ek_trust::Role;
using ek_trust::StoredCrl;
using ek_trust::StoredEkCertificate;
using endorsement::VendorId;
using testing::ElementsAre;

auto fields(const Authority& a) {
  std::vector<std::uint32_t> vendors;
  for (const VendorId vendor : a.vendors)
    vendors.push_back(vendor.number());
  return std::tuple(a.scope, a.sha256, a.subject_sha256, a.issuer_sha256, a.key_sha256, a.role, vendors, a.certificate,
                    a.distrust ? std::optional(a.distrust->since) : std::nullopt,
                    a.distrust ? a.distrust->reason : std::string(), a.imported_at);
}
auto fields(const CrlInfo& i) {
  return std::tuple(i.scope, i.series_sha256, i.sha256, i.issuer_sha256, i.issuer, i.entries, i.is_partial,
                    i.this_update, i.next_update, i.imported_at);
}
auto fields(const StoredEkCertificate& c) {
  return std::tuple(c.scope, c.ek_name, c.sha256, c.issuer_sha256, c.der, c.stored_at, c.intermediates);
}

Bytes digest(std::uint64_t number) {
  return sample::bytes(32, number);
}
std::vector<Bytes> keys_of(const std::vector<Authority>& authorities) {
  std::vector<Bytes> keys;
  for (const Authority& authority : authorities)
    keys.push_back(authority.sha256);
  return keys;
}

class EkTrustConformance : public ConformanceTest {
 protected:
  static Authority authority(std::uint64_t number, const ScopeId& scope) {
    return {.scope = scope,
            .sha256 = digest(number),
            .subject_sha256 = digest(100 + number),
            .issuer_sha256 = digest(200 + number),
            .key_sha256 = digest(300 + number),
            .role = Role::kRoot,
            .certificate = sample::bytes(900, number),
            .imported_at = sample::time(number)};
  }
  static StoredCrl crl(std::uint64_t number, std::uint64_t issuer, const ScopeId& scope) {
    return {{.scope = scope,
             .series_sha256 = digest(number),
             .sha256 = digest(100 + number),
             .issuer_sha256 = digest(issuer),
             .issuer = "CN=Röt,O=Nobody",
             .entries = 7,
             .is_partial = false,
             .this_update = sample::time(1),
             .next_update = sample::time(2),
             .imported_at = sample::time(number)},
            sample::bytes(500, number)};
  }
  static StoredEkCertificate certificate(std::uint64_t number, std::uint64_t issuer, const ScopeId& scope) {
    return {.scope = scope,
            .ek_name = sample::bytes(34, number),
            .sha256 = digest(number),
            .issuer_sha256 = digest(issuer),
            .der = sample::bytes(700, number),
            .stored_at = sample::time(number)};
  }
  void put(const Authority& row) {
    ASSERT_TRUE(change([&](Transaction& t) { return t.ek_trust().put_authority(row); }));
  }
  void put(const StoredCrl& row) {
    ASSERT_TRUE(change([&](Transaction& t) { return t.ek_trust().put_crl(row); }));
  }
  void put(const StoredEkCertificate& row) {
    ASSERT_TRUE(change([&](Transaction& t) { return t.ek_trust().put_ek_certificate(row); }));
  }
  auto authority_of(const ScopeId& scope, std::uint64_t number) {
    return found([&](Snapshot& s) { return s.ek_trust().find_authority(scope, digest(number)); });
  }
  auto distrusted(std::uint64_t key) {
    return found([&](Snapshot& s) { return s.ek_trust().find_distrusted_of_key(here_, digest(key)); });
  }
};

TEST_P(EkTrustConformance, AnAuthorityIsGivenBackAndReplacedButForItsImport) {
  Authority row = authority(1, here_);
  row.vendors = {*VendorId::parse("IFX "), VendorId(0x00001014)};
  put(row);
  EXPECT_EQ(fields(*authority_of(here_, 1)), fields(row));
  EXPECT_FALSE(authority_of(here_, 2));
  EXPECT_FALSE(authority_of(there_, 1));

  row.role = Role::kIntermediate;
  row.vendors.clear();
  row.distrust = ek_trust::Mark{sample::time(5), "its key \"leaked\" — said the maker"};
  Authority again = row;
  again.imported_at = sample::time(99);
  put(again);
  EXPECT_EQ(fields(*authority_of(here_, 1)), fields(row));
  row.distrust.reset();
  put(row);
  EXPECT_EQ(fields(*authority_of(here_, 1)), fields(row));
}

TEST_P(EkTrustConformance, AuthoritiesAreListedInPages) {
  std::vector<Bytes> expected;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    put(authority(i, here_));
    expected.push_back(digest(i));
  }
  put(authority(3, there_));
  std::ranges::sort(expected, {}, [](const Bytes& bytes) { return as_text(bytes); });
  std::vector<Bytes> seen;
  for (ek_trust::Page page{{}, 2};;) {
    const auto part = keys_of(found([&](Snapshot& s) { return s.ek_trust().list_authorities(here_, page); }));
    if (part.empty()) break;
    EXPECT_LE(part.size(), 2U);
    seen.insert(seen.end(), part.begin(), part.end());
    page.after = part.back();
  }
  EXPECT_EQ(seen, expected);
  const auto count = [&](std::size_t limit) {
    return found([&](Snapshot& s) { return s.ek_trust().count_authorities(here_, limit); });
  };
  EXPECT_EQ(count(10), 5U);
  EXPECT_EQ(count(3), 3U);
}

TEST_P(EkTrustConformance, AuthoritiesAreFoundByNameIssuerAndKey) {
  auto a = authority(1, here_);
  auto b = authority(2, here_);
  b.subject_sha256 = a.subject_sha256;
  auto c = authority(3, here_);
  c.issuer_sha256 = a.subject_sha256;
  auto d = authority(4, here_);
  d.key_sha256 = c.key_sha256;
  for (const auto& row : {a, b, c, d, authority(1, there_)})
    put(row);
  const auto named = [&](std::size_t limit) {
    return found([&](Snapshot& s) { return s.ek_trust().find_authorities_named(here_, a.subject_sha256, limit); });
  };
  EXPECT_THAT(keys_of(named(9)), testing::UnorderedElementsAre(a.sha256, b.sha256));
  EXPECT_EQ(named(1).size(), 1U);
  const auto issued =
      found([&](Snapshot& s) { return s.ek_trust().find_authorities_issued_by(here_, a.subject_sha256, 9); });
  EXPECT_THAT(keys_of(issued), ElementsAre(c.sha256));
  const auto same_key =
      found([&](Snapshot& s) { return s.ek_trust().find_authorities_of_key(here_, c.key_sha256, 9); });
  EXPECT_THAT(keys_of(same_key), testing::UnorderedElementsAre(c.sha256, d.sha256));
}

TEST_P(EkTrustConformance, TheEarliestDistrustOfAKeyIsFound) {
  auto a = authority(1, here_);
  a.distrust = ek_trust::Mark{sample::time(20), "later"};
  auto b = authority(2, here_);
  b.key_sha256 = a.key_sha256;
  b.distrust = ek_trust::Mark{sample::time(10), "earlier"};
  auto c = authority(3, here_);
  c.key_sha256 = a.key_sha256;
  EXPECT_FALSE(distrusted(301));
  for (const auto& row : {a, b, c})
    put(row);
  EXPECT_EQ(distrusted(301)->sha256, b.sha256);
  b.distrust.reset();
  put(b);
  EXPECT_EQ(distrusted(301)->sha256, a.sha256);
  EXPECT_FALSE(distrusted(302));
}

TEST_P(EkTrustConformance, ACrlTakesThePlaceOfTheOneBeforeInItsSeries) {
  auto row = crl(1, 50, here_);
  put(row);
  row.info.sha256 = digest(900);
  row.info.is_partial = true;
  row.info.next_update.reset();
  row.info.entries = 0;
  row.info.this_update = sample::time(5);
  row.info.imported_at = sample::time(6);
  row.der = sample::bytes(600, 2);
  put(row);
  put(crl(2, 50, here_));
  put(crl(3, 51, here_));
  put(crl(1, 50, there_));
  const auto one = found([&](Snapshot& s) { return s.ek_trust().find_crl(here_, digest(1)); });
  EXPECT_EQ(fields(*one), fields(row.info));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.ek_trust().find_crl(there_, digest(2)); }));
  const auto of_issuer = found([&](Snapshot& s) { return s.ek_trust().find_crls_of(here_, digest(50), 9); });
  ASSERT_EQ(of_issuer.size(), 2U);
  const auto& changed = of_issuer[0].info.series_sha256 == digest(1) ? of_issuer[0] : of_issuer[1];
  EXPECT_EQ(changed.der, row.der);
  EXPECT_EQ(found([&](Snapshot& s) { return s.ek_trust().list_crls(here_, {{}, 9}); }).size(), 3U);
  EXPECT_EQ(found([&](Snapshot& s) { return s.ek_trust().list_crls(here_, {{}, 2}); }).size(), 2U);
  EXPECT_EQ(found([&](Snapshot& s) { return s.ek_trust().count_crls(here_, 9); }), 3U);
}

TEST_P(EkTrustConformance, EkCertificatesAreFoundByNameAndByIssuer) {
  for (std::uint64_t i = 1; i <= 4; ++i)
    put(certificate(i, i == 4 ? 51 : 50, here_));
  put(certificate(1, 50, there_));
  auto changed = certificate(2, 51, here_);
  changed.sha256 = digest(77);
  changed.der = sample::bytes(800, 77);
  changed.stored_at = sample::time(77);
  put(changed);
  const auto one = found([&](Snapshot& s) { return s.ek_trust().find_ek_certificate(here_, sample::bytes(34, 2)); });
  EXPECT_EQ(fields(*one), fields(changed));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.ek_trust().find_ek_certificate(here_, sample::bytes(34, 9)); }));
  std::vector<Bytes> seen;
  for (ek_trust::Page page{{}, 1};;) {
    const auto part = found([&](Snapshot& s) { return s.ek_trust().list_ek_certificates_of(here_, digest(50), page); });
    if (part.empty()) break;
    ASSERT_EQ(part.size(), 1U);
    seen.push_back(part[0].ek_name);
    page.after = part[0].ek_name;
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre(sample::bytes(34, 1), sample::bytes(34, 3)));
}

TEST_P(EkTrustConformance, EkCertificatesAreFoundByTheIssuersOfWhatCameWithThem) {
  for (std::uint64_t i = 1; i <= 6; ++i) {
    auto row = certificate(i, i % 2 == 0 ? 50 : 60, here_);
    if (i % 2 == 1) {
      row.intermediates = sample::bytes(900, i);
      row.further_issuers_sha256 = {digest(50), digest(70)};
    }
    put(row);
    EXPECT_EQ(fields(*found([&](Snapshot& s) { return s.ek_trust().find_ek_certificate(here_, row.ek_name); })),
              fields(row));
  }
  // Of itself and of what came with it: it is told of once.
  auto twice = certificate(7, 50, here_);
  twice.intermediates = sample::bytes(900, 7);
  twice.further_issuers_sha256 = {digest(50), digest(50)};
  put(twice);
  const auto of = [&](const ScopeId& scope, std::uint64_t issuer, std::size_t size) {
    std::vector<Bytes> names;
    for (ek_trust::Page page{{}, size};;) {
      const auto part =
          found([&](Snapshot& s) { return s.ek_trust().list_ek_certificates_of(scope, digest(issuer), page); });
      if (part.empty()) return names;
      EXPECT_LE(part.size(), size);
      for (const auto& row : part)
        names.push_back(row.ek_name);
      page.after = names.back();
    }
  };
  std::vector<Bytes> all;
  for (std::uint64_t i = 1; i <= 7; ++i)
    all.push_back(sample::bytes(34, i));
  std::ranges::sort(all, {}, [](const Bytes& bytes) { return as_text(bytes); });
  for (const std::size_t size : {1U, 2U, 10U})
    EXPECT_EQ(of(here_, 50, size), all) << size;
  EXPECT_EQ(of(here_, 70, 10).size(), 3U);
  EXPECT_TRUE(of(there_, 50, 10).empty());
  // Another certificate leads elsewhere.
  put(certificate(1, 50, here_));
  EXPECT_EQ(of(here_, 70, 10).size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Databases, EkTrustConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
