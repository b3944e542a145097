// Who may certify endorsement keys, on every database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ek_trust/affected.h"
#include "ek_trust/authority_desk.h"
#include "ek_trust/certificate_desk.h"
#include "ek_trust/identity.h"
#include "ek_trust/limits.h"
#include "ek_trust/revocation_desk.h"
#include "ek_trust/test_maker.h"
#include "store/desk_fixture_test.h"

namespace warifu::store {
namespace {

using namespace ek_trust;
using ek_trust::test::Maker;
using endorsement::VendorId;
using endorsement::X509Certificate;
using testing::ElementsAre;

Timestamp year(int number) {
  return Timestamp(std::chrono::sys_days(std::chrono::year(number) / 6 / 1));
}

class EkTrust : public DeskTest {
 protected:
  // One transaction without another audit entry than the desk's own.
  template <class Apply>
  auto write(Apply apply) {
    using Answer = std::invoke_result_t<Apply, Transaction&>;
    std::optional<Answer> answer;
    world_.clock.advance(std::chrono::seconds(1));
    const Status written = world_.store->write([&](Transaction& t) -> Status {
      answer.emplace(apply(t));
      if (!*answer) return answer->error();
      return {};
    });
    if (!written) answer.emplace(tl::unexpected(written.error()));
    return *std::move(answer);
  }
  static X509Certificate parsed(const Bytes& der) { return X509Certificate::parse(der).value(); }
  auto import(const std::vector<Bytes>& ders, std::optional<Role> role = {}, std::vector<VendorId> vendors = {}) {
    ImportRequest request{.certificates = {}, .role = role, .vendors = std::move(vendors)};
    for (const Bytes& der : ders)
      request.certificates.push_back(parsed(der));
    return write([&](Transaction& t) { return authorities_.import(t.ek_trust(), t.audit(), asker_, request); });
  }
  auto import_crl(const Bytes& der) {
    const auto request = CrlImport::make({endorsement::RevocationList::parse(der).value()}).value();
    return write([&](Transaction& t) { return crls_.import(t.ek_trust(), t.audit(), asker_, request); });
  }
  auto distrust(const Bytes& der, Timestamp since, std::string reason = "its key leaked") {
    return write([&](Transaction& t) {
      return authorities_.distrust(t.ek_trust(), t.audit(), asker_, {sha256_of(der), since, reason});
    });
  }
  auto trust(const Bytes& der) {
    return write([&](Transaction& t) { return authorities_.trust(t.ek_trust(), t.audit(), asker_, sha256_of(der)); });
  }
  auto keep(const tpm::EkPublic& ek, const Bytes& certificate) {
    return write([&](Transaction& t) -> Result<bool> {
      TRY(auto read, endorsement::EkCertificate::parse(certificate));
      TRY(const auto certified, CertifiedEk::make(ek, std::move(read)));
      TRY(const auto kept, certificates_.keep(t.ek_trust(), t.audit(), asker_, certified));
      return kept.is_other;
    });
  }
  // "trusted", or the code of the refusal.
  std::string verdict(const tpm::EkPublic& ek, Timestamp at = year(2026)) {
    return found([&](Snapshot& s) -> Result<std::string> {
      TRY(const auto stored, s.ek_trust().find_ek_certificate(here_, name_of(ek)));
      if (!stored) return std::string("none");
      TRY(const auto certificate, certificate_of(*stored));
      TRY(const auto judged, Judge(s.ek_trust(), here_, at).judge(certificate));
      return judged.verified ? "trusted" : std::string(judged.refusal->code);
    });
  }
  // The EKs that are affected, page by page of `size`.
  std::vector<Bytes> affected(const Bytes& der, std::size_t size = 100) {
    std::vector<Bytes> names;
    std::optional<AffectedKey> after;
    do {
      const auto page = found([&](Snapshot& s) -> Result<AffectedPage> {
        TRY(const auto authority, s.ek_trust().find_authority(here_, sha256_of(der)));
        return list_affected(s.ek_trust(), *authority, after, size, year(2026));
      });
      EXPECT_LE(page.items.size(), size);
      for (const auto& item : page.items)
        names.push_back(item.stored.ek_name);
      after = page.next;
    } while (after);
    return names;
  }

  // A CRL of the maker's CA with these extensions.
  Bytes crl_with(std::uint8_t serial, const Bytes& extensions, std::string_view from = "20230101000000Z") const {
    using namespace endorsement::test;
    const Bytes entry = tlv(0x30, joined({Bytes{0x02, 0x01, serial}, time("20230101000000Z")}));
    return signed_by(
        maker_.ca_key,
        tlv(0x30, joined({hex("020101"), algorithm(), maker_.ca_name, time(from), time("20400101000000Z"),
                          tlv(0x30, entry), extensions.empty() ? Bytes{} : tlv(0xA0, tlv(0x30, extensions))})));
  }
  // One of a distribution point of its own, which makes it another series.
  Bytes shard(std::uint8_t number) const {
    Bytes point = endorsement::test::hex("3007a005a003860100");
    point.back() = static_cast<std::uint8_t>('A' + number);
    return crl_with(number, endorsement::test::extension("551d1c", true, point));
  }
  // Rows that nothing but their number makes.
  template <class Put>
  Status fill(std::size_t count, Put put) {
    return write([&](Transaction& t) -> Status {
      for (std::size_t i = 0; i < count; ++i)
        TRY_STATUS(put(t, sha256_of(as_bytes(std::to_string(i)))));
      return t.audit().record(here_, {asker_.actor, "ek-root.import", "ek-root:many", "{}"});
    });
  }

  const Requester asker_{here_, "operator:alice/1"};
  const AuthorityDesk authorities_{world_.clock};
  const RevocationDesk crls_{world_.clock};
  const CertificateDesk certificates_{world_.clock};
  const Maker maker_{"Test"};
};

TEST_P(EkTrust, AnImportSaysWhatItDidAndDoesItOnce) {
  const auto first = import({maker_.root(), maker_.ca()});
  ASSERT_TRUE(first) << to_string(first.error());
  ASSERT_EQ(first->size(), 2U);
  EXPECT_EQ((*first)[0].outcome, ImportOutcome::kAdded);
  EXPECT_EQ((*first)[0].authority.role, Role::kRoot);
  EXPECT_EQ((*first)[1].authority.role, Role::kIntermediate);
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ((*import({maker_.root()}))[0].outcome, ImportOutcome::kUnchanged); }));
  EXPECT_TRUE(is_audited(
      [&] { EXPECT_EQ((*import({maker_.root()}, {}, {VendorId(0x1014)}))[0].outcome, ImportOutcome::kUpdated); }));
  EXPECT_EQ((*import({maker_.root()}))[0].authority.vendors.size(), 1U) << "what was said stays";
  // Said again, it is what was said.
  EXPECT_EQ((*import({maker_.ca()}, Role::kRoot))[0].outcome, ImportOutcome::kUpdated);
  EXPECT_EQ((*import({maker_.ca()}))[0].authority.role, Role::kRoot);
  EXPECT_EQ((*import({maker_.ca()}, Role::kIntermediate))[0].authority.role, Role::kIntermediate);
}

TEST_P(EkTrust, AnImportIsDoneWholeOrNotAtAll) {
  const Bytes no_authority = maker_.certify(ek(1));
  EXPECT_EQ(code(import({maker_.root(), no_authority})), "endorsement.root.authority");
  EXPECT_EQ(found([&](Snapshot& s) { return s.ek_trust().count_authorities(here_, 9); }), 0U);
  Bytes forged = maker_.root();
  forged.back() ^= 1;
  EXPECT_EQ(code(import({forged})), "endorsement.root.signature");
  EXPECT_EQ(code(import({})), "ek_root.count");
  EXPECT_EQ(code(import(std::vector(101, maker_.root()))), "ek_root.count");
  EXPECT_EQ(code(import({maker_.ca()}, {}, {VendorId(0x1014)})), "ek_root.vendors");
  EXPECT_TRUE(import({maker_.root()}));
}

TEST_P(EkTrust, ThereAreSoManyOfAName) {
  for (std::size_t i = 0; i < kAuthoritiesOfNameMax; ++i) {
    ASSERT_TRUE(import({Maker("Test").root()}));
  }
  EXPECT_EQ(code(import({maker_.root()})), "ek_root.too_many");
  EXPECT_TRUE(import({maker_.ca()})) << "of another name";
}

TEST_P(EkTrust, ThereAreSoManyOfAKey) {
  std::vector<Bytes> ders;
  for (std::size_t i = 0; i <= kAuthoritiesOfKeyMax; ++i)
    ders.push_back(endorsement::test::certificate(
        {.issuer = maker_.root_name, .subject = endorsement::test::name("Somebody", std::to_string(i)), .serial = 2},
        maker_.ca_key, maker_.root_key));
  const Bytes last = ders.back();
  ders.pop_back();
  ASSERT_TRUE(import(ders));
  EXPECT_EQ(code(import({last})), "ek_root.too_many");
  EXPECT_TRUE(import({maker_.root()})) << "of another key";
}

TEST_P(EkTrust, ThereAreSoManyInAScope) {
  ASSERT_TRUE(fill(kAuthoritiesMax - 1, [&](Transaction& t, const Bytes& digest) {
    return t.ek_trust().put_authority({.scope = here_,
                                       .sha256 = digest,
                                       .subject_sha256 = digest,
                                       .issuer_sha256 = digest,
                                       .key_sha256 = digest,
                                       .certificate = digest,
                                       .imported_at = year(2026)});
  }));
  ASSERT_TRUE(import({maker_.ca()}));
  EXPECT_EQ(code(import({maker_.root()})), "ek_root.too_many");
  EXPECT_EQ((*import({maker_.ca()}))[0].outcome, ImportOutcome::kUnchanged) << "what is there may come again";
}

TEST_P(EkTrust, ThereAreSoManyCrlsOfAnIssuerAndInAScope) {
  ASSERT_TRUE(import({maker_.root(), maker_.ca()}));
  for (std::uint8_t i = 0; i < kCrlsOfIssuerMax; ++i)
    ASSERT_TRUE(import_crl(shard(i)));
  EXPECT_EQ(code(import_crl(shard(kCrlsOfIssuerMax))), "ek_crl.too_many");
  EXPECT_TRUE(import_crl(shard(0))) << "of a series that is there";

  const Maker other("Other");
  ASSERT_TRUE(import({other.root(), other.ca()}));
  ASSERT_TRUE(fill(kCrlsMax - kCrlsOfIssuerMax, [&](Transaction& t, const Bytes& digest) {
    return t.ek_trust().put_crl({{.scope = here_,
                                  .series_sha256 = digest,
                                  .sha256 = digest,
                                  .issuer_sha256 = digest,
                                  .issuer = "CN=somebody",
                                  .this_update = year(2026),
                                  .next_update = {},
                                  .imported_at = year(2026)},
                                 digest});
  }));
  EXPECT_EQ(code(import_crl(other.crl(7))), "ek_crl.too_many");
}

TEST_P(EkTrust, AnImportOfCrlsHasItsBounds) {
  const auto crl = endorsement::RevocationList::parse(maker_.crl(7)).value();
  EXPECT_EQ(code(CrlImport::make({})), "ek_crl.count");
  EXPECT_TRUE(CrlImport::make(std::vector(kCrlsPerChangeMax, crl)));
  EXPECT_EQ(code(CrlImport::make(std::vector(kCrlsPerChangeMax + 1, crl))), "ek_crl.count");
  const Bytes large = endorsement::test::extension("2a0304", false, Bytes(kCrlSizeMax, 0));
  const auto refused = CrlImport::make({crl, endorsement::RevocationList::parse(crl_with(7, large)).value()});
  EXPECT_EQ(code(refused), "ek_crl.size");
  EXPECT_EQ(refused.error().where, "crls.1");
}

TEST_P(EkTrust, WhatIsStoredAndNoAuthorityIsADefectOfTheStore) {
  ASSERT_TRUE(import({maker_.root(), maker_.ca()}));
  ASSERT_TRUE(keep(ek(1), maker_.certify(ek(1))));
  EXPECT_EQ(verdict(ek(1)), "trusted");
  ASSERT_TRUE(fill(1, [&](Transaction& t, const Bytes&) -> Status {
    TRY(auto authority, t.ek_trust().find_authority(here_, sha256_of(maker_.ca())));
    authority->certificate = maker_.certify(ek(2));
    authority->sha256 = sha256_of(authority->certificate);
    return t.ek_trust().put_authority(*authority);
  }));
  const Status read = world_.store->read([&](Snapshot& s) -> Status {
    TRY(const auto found, certificates_.find(s.ek_trust(), here_, name_of(ek(1))));
    return {};
  });
  EXPECT_EQ(code(read), "store.corrupt");
}

TEST_P(EkTrust, ACertificateIsJudgedByWhatIsThere) {
  ASSERT_TRUE(*keep(ek(1), maker_.certify(ek(1))));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.missing-ca");
  ASSERT_TRUE(import({maker_.root()}));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.missing-ca");
  ASSERT_TRUE(import({maker_.ca()}));
  EXPECT_EQ(verdict(ek(1)), "trusted");
  EXPECT_EQ(verdict(ek(1), year(2041)), "endorsement.path.expired");
  EXPECT_EQ(verdict(ek(2)), "none");
  ASSERT_TRUE(import({maker_.root()}, {}, {*VendorId::parse("NTC ")}));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.vendor");
}

TEST_P(EkTrust, ACertificateIsKeptOnceAndOnlyWithItsKey) {
  EXPECT_TRUE(*keep(ek(1), maker_.certify(ek(1))));
  EXPECT_TRUE(*keep(ek(1), maker_.certify(ek(1), 9))) << "another certificate of it";
  const Bytes second = maker_.certify(ek(2));
  EXPECT_TRUE(*keep(ek(2), second));
  EXPECT_FALSE(is_audited([&] { EXPECT_FALSE(*keep(ek(2), second)); }));
  EXPECT_EQ(code(keep(ek(1), second)), "ek_certificate.key");

  auto signs = endorsement::test::ek_template(maker_.ca_name);
  signs.key_usage = endorsement::test::hex("03020780");  // digitalSignature
  signs.spki = ek_trust::test::spki_of(ek(1));
  EXPECT_EQ(code(keep(ek(1), endorsement::test::certificate(signs, maker_.ca_key, maker_.ca_key))),
            "endorsement.ek.key-usage");
  auto large = endorsement::test::ek_template(maker_.ca_name);
  large.spki = ek_trust::test::spki_of(ek(1));
  large.key_usage = endorsement::test::hex("03020520");
  large.more_extensions = endorsement::test::extension("2a0304", false, Bytes(kEkCertificateSizeMax, 0));
  EXPECT_EQ(code(keep(ek(1), endorsement::test::certificate(large, maker_.ca_key, maker_.ca_key))),
            "ek_certificate.size");
}

TEST_P(EkTrust, DistrustCountsFromItsTimeOnAndCanBeTakenBack) {
  ASSERT_TRUE(import({maker_.root(), maker_.ca()}));
  ASSERT_TRUE(keep(ek(1), maker_.certify(ek(1))));
  ASSERT_TRUE(is_audited([&] { ASSERT_TRUE(distrust(maker_.root(), year(2025))); }));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.distrusted");
  EXPECT_EQ(verdict(ek(1), year(2024)), "trusted");
  // A later time does not shorten it, an earlier one does what it says.
  EXPECT_FALSE(is_audited([&] { ASSERT_TRUE(distrust(maker_.root(), year(2030))); }));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.distrusted");
  ASSERT_TRUE(distrust(maker_.root(), year(2023)));
  EXPECT_EQ(verdict(ek(1), year(2024)), "endorsement.path.distrusted");
  // Importing it again gives no trust back.
  EXPECT_EQ((*import({maker_.root()}))[0].outcome, ImportOutcome::kUnchanged);
  ASSERT_TRUE(import({maker_.root()}, {}, {*VendorId::parse("IFX ")}));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.distrusted");
  ASSERT_TRUE(is_audited([&] { ASSERT_FALSE(trust(maker_.root())->distrusted); }));
  EXPECT_EQ(verdict(ek(1)), "trusted");
  EXPECT_FALSE(is_audited([&] { ASSERT_TRUE(trust(maker_.root())); }));

  EXPECT_EQ(code(distrust(Maker("Other").root(), year(2025))), "ek_root.unknown");
  EXPECT_EQ(code(trust(Maker("Other").root())), "ek_root.unknown");
  for (const std::string& reason : {std::string(), std::string("two\nlines"), std::string(kReasonSizeMax + 1, 'a')})
    EXPECT_EQ(code(distrust(maker_.root(), year(2025), reason)), "ek_root.reason");
}

TEST_P(EkTrust, DistrustOfAKeyIsThatOfAllItsCertificates) {
  const Maker other("Other");
  const Bytes cross_signed = maker_.ca_signed_by(other);
  ASSERT_TRUE(import({maker_.root(), maker_.ca(), other.root(), cross_signed}));
  ASSERT_TRUE(keep(ek(1), maker_.certify(ek(1))));
  const Bytes ca = maker_.ca();
  ASSERT_TRUE(import({ca}));
  ASSERT_TRUE(distrust(ca, year(2025)));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.distrusted") << "although another root signed its key too";
  const auto back = trust(cross_signed);
  ASSERT_TRUE(back && back->distrusted);
  EXPECT_EQ(back->distrusted->sha256, sha256_of(ca)) << "that mark stands";
  EXPECT_FALSE(trust(ca)->distrusted);
  EXPECT_EQ(verdict(ek(1)), "trusted");
}

TEST_P(EkTrust, TheAffectedAreThoseWhoHaveNobodyElsesWord) {
  const Maker other("Other");
  const Maker crossed("Crossed");
  ASSERT_TRUE(import({maker_.root(), maker_.ca(), other.root(), other.ca(), crossed.root(), crossed.ca(),
                      crossed.ca_signed_by(maker_)}));
  std::vector<Bytes> expected;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(keep(ek(i), maker_.certify(ek(i), i)));
    if (i != 3) expected.push_back(name_of(ek(i)));
  }
  ASSERT_TRUE(import_crl(maker_.crl(3)));  // refused anyway
  ASSERT_TRUE(keep(ek(20), other.certify(ek(20))));
  ASSERT_TRUE(keep(ek(30), crossed.certify(ek(30))));  // has another path
  for (const std::size_t size : {1U, 2U, 3U, 100U})
    EXPECT_THAT(affected(maker_.root(), size), testing::UnorderedElementsAreArray(expected)) << size;
  EXPECT_THAT(affected(maker_.ca()), testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(affected(other.root()), ElementsAre(name_of(ek(20))));
  EXPECT_THAT(affected(crossed.root()), ElementsAre());
  EXPECT_THAT(affected(crossed.ca()), ElementsAre(name_of(ek(30)))) << "both of its certificates go";

  // The same list after it was done; and without the root the crossed one hangs by its other signature.
  ASSERT_TRUE(distrust(maker_.root(), year(2025)));
  EXPECT_THAT(affected(maker_.root(), 2), testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(affected(crossed.root()), ElementsAre(name_of(ek(30))));
}

TEST_P(EkTrust, WhatCameWithACertificateLeadsOnAndIsBelievedNoFurther) {
  const Maker other("Other");
  const auto keep_with = [&](const tpm::EkPublic& ek, const Bytes& leaf, const std::vector<Bytes>& ders) {
    return write([&](Transaction& t) -> Result<bool> {
      TRY(auto read, endorsement::EkCertificate::parse(leaf));
      TRY(auto intermediates, parse_intermediates(ders));
      TRY(const auto certified, CertifiedEk::make(ek, std::move(read), std::move(intermediates)));
      TRY(const auto kept, certificates_.keep(t.ek_trust(), t.audit(), asker_, certified));
      return kept.is_other;
    });
  };
  const auto verdict_of = [&](const tpm::EkPublic& ek) {
    return found([&](Snapshot& s) -> Result<std::string> {
      TRY(const auto judged, certificates_.find(s.ek_trust(), here_, name_of(ek)));
      return judged->verdict.verified ? "trusted" : std::string(judged->verdict.refusal->code);
    });
  };
  ASSERT_TRUE(import({maker_.root()}));
  ASSERT_TRUE(keep(ek(1), maker_.certify(ek(1))).value());
  EXPECT_EQ(verdict_of(ek(1)), "endorsement.path.missing-ca");
  EXPECT_TRUE(keep_with(ek(1), maker_.certify(ek(1)), {maker_.ca()}).value()) << "another signature, and more";
  EXPECT_EQ(verdict_of(ek(1)), "trusted");
  // Its own root is no root here.
  ASSERT_TRUE(keep_with(ek(2), other.certify(ek(2)), {other.ca(), other.root()}));
  EXPECT_EQ(verdict_of(ek(2)), "endorsement.path.missing-ca");

  for (const std::size_t size : {1U, 100U}) {
    EXPECT_THAT(affected(maker_.root(), size), ElementsAre(name_of(ek(1)))) << size;
  }
  ASSERT_TRUE(import({maker_.ca()}));
  for (const std::size_t size : {1U, 100U})
    for (const Bytes& authority : {maker_.root(), maker_.ca()})
      EXPECT_THAT(affected(authority, size), ElementsAre(name_of(ek(1)))) << "once, " << size;
  ASSERT_TRUE(distrust(maker_.ca(), year(2025)));
  EXPECT_EQ(verdict_of(ek(1)), "endorsement.path.distrusted");
  EXPECT_EQ(code(keep_with(ek(1), maker_.certify(ek(1)), std::vector<Bytes>(7, maker_.ca()))), "ek_certificate.chain");
}

TEST_P(EkTrust, VouchersAreThoseOfEveryPath) {
  const Maker other("Other");
  const Bytes crossed = maker_.ca_signed_by(other);
  const auto certified =
      CertifiedEk::make(ek(1), endorsement::EkCertificate::parse(maker_.certify(ek(1))).value()).value();
  const auto vouchers = [&] {
    return found([&](Snapshot& s) { return certificates_.vouchers(s.ek_trust(), here_, certified); });
  };
  EXPECT_EQ(vouchers().refusal->code, "endorsement.path.missing-ca");
  ASSERT_TRUE(import({maker_.root(), maker_.ca()}));
  EXPECT_THAT(vouchers().authorities, testing::UnorderedElementsAre(sha256_of(maker_.ca()), sha256_of(maker_.root())));
  ASSERT_TRUE(import({other.root(), crossed}));
  EXPECT_THAT(vouchers().authorities, testing::IsSupersetOf({sha256_of(maker_.ca()), sha256_of(maker_.root()),
                                                             sha256_of(crossed), sha256_of(other.root())}));
  ASSERT_TRUE(distrust(maker_.root(), year(2025)));
  EXPECT_THAT(vouchers().authorities, testing::UnorderedElementsAre(sha256_of(crossed), sha256_of(other.root())));
  ASSERT_TRUE(distrust(maker_.ca(), year(2025)));
  EXPECT_EQ(vouchers().refusal->code, "endorsement.path.distrusted") << "of its key, whoever certified it";
  EXPECT_TRUE(vouchers().authorities.empty());
}

TEST_P(EkTrust, ANewerCrlTakesThePlaceOfAnOlderOne) {
  ASSERT_TRUE(import({maker_.root(), maker_.ca()}));
  ASSERT_TRUE(keep(ek(1), maker_.certify(ek(1), 7)));
  const auto crl = [&](std::uint8_t serial, std::string_view from, const Bytes& extensions = {}) {
    return crl_with(serial, extensions, from);
  };
  const Bytes first = crl(7, "20230101000000Z");
  EXPECT_EQ((*import_crl(first))[0].outcome, CrlOutcome::kAdded);
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.revoked");
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ((*import_crl(first))[0].outcome, CrlOutcome::kUnchanged); }));
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ((*import_crl(crl(8, "20220101000000Z")))[0].outcome, CrlOutcome::kOlder); }));
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.revoked") << "an old CRL takes nothing back";
  EXPECT_EQ((*import_crl(crl(8, "20240101000000Z")))[0].outcome, CrlOutcome::kUpdated);
  EXPECT_EQ(verdict(ek(1)), "trusted");
  // A shard is of another series: both count.
  const Bytes shard = endorsement::test::extension("551d1c", true, endorsement::test::hex("3006a004a0028600"));
  EXPECT_EQ((*import_crl(crl(7, "20230601000000Z", shard)))[0].outcome, CrlOutcome::kAdded);
  EXPECT_EQ(verdict(ek(1)), "endorsement.path.revoked");
}

TEST_P(EkTrust, ACrlIsRefusedUnlessAnImportedAuthoritySignedIt) {
  EXPECT_EQ(code(import_crl(maker_.crl(7))), "ek_crl.issuer");
  ASSERT_TRUE(import({maker_.root(), maker_.ca()}));
  EXPECT_EQ(code(import_crl(Maker("Test").crl(7))), "ek_crl.issuer");
  Bytes broken = maker_.crl(7);
  broken.back() ^= 1;
  EXPECT_EQ(code(import_crl(broken)), "ek_crl.issuer");
  EXPECT_TRUE(import_crl(maker_.crl(7)));
}

TEST_P(EkTrust, ScopesDoNotShareTrust) {
  ASSERT_TRUE(import({maker_.root(), maker_.ca()}));
  const Requester stranger{there_, "operator:mallory/1"};
  const auto read = endorsement::EkCertificate::parse(maker_.certify(ek(1))).value();
  ASSERT_TRUE(write([&](Transaction& t) {
    return certificates_.keep(t.ek_trust(), t.audit(), stranger, CertifiedEk::make(ek(1), read).value());
  }));
  const auto there = found([&](Snapshot& s) { return certificates_.find(s.ek_trust(), there_, name_of(ek(1))); });
  EXPECT_EQ(there->verdict.refusal->code, "endorsement.path.missing-ca");
  EXPECT_THAT(affected(maker_.root()), ElementsAre());
  EXPECT_EQ(code(write([&](Transaction& t) {
              return authorities_.trust(t.ek_trust(), t.audit(), stranger, sha256_of(maker_.root()));
            })),
            "ek_root.unknown");
}

INSTANTIATE_TEST_SUITE_P(Databases, EkTrust, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
