#include "cmp/server.h"

#include <gmock/gmock.h>

#include "cmp/world_test.h"
#include "crypto/certificate_request.h"
#include "crypto/digest_signature.h"
#include "crypto/ec.h"

namespace warifu::cmp {
namespace {

using crypto::CmpClient;
using crypto::KeyKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Bytes serial(const Certificate& certificate) {
  return certificate.serial();
}

class CmpServer : public testing::Test {
 protected:
  // With the secret, wanting a certificate for the device's key.
  std::unique_ptr<CmpClient> client() {
    auto made = std::make_unique<CmpClient>(world.transfer());
    made->by_secret(kReference, kSecret);
    made->want("device-1", world.device_key);
    return made;
  }
  // With a certificate that was issued before.
  std::unique_ptr<CmpClient> known_client(const Certificate& certificate) {
    auto made = std::make_unique<CmpClient>(world.transfer());
    made->by_certificate(certificate, old_key, world.issuer.root);
    made->want("device-1", world.device_key);
    return made;
  }
  Certificate old_certificate() { return world.issuer.made("device-1", old_key); }
  // Gets a certificate, and does not want it.
  void reject() {
    auto asking = client();
    OSSL_CMP_CTX_set_certConf_cb(asking->native(), [](OSSL_CMP_CTX*, X509*, int, const char**) { return 1 << 7; });
    EXPECT_FALSE(asking->ask(OSSL_CMP_IR));
    EXPECT_EQ(crypto::seen(asking->answers().back()).body, Body::kPkiConf);
  }

  World world;
  PrivateKey old_key = PrivateKey::generate(KeyKind::kEcP256);
};

// A MAC by each hash that clients choose; the answer has the same.
struct HashRow {
  const char* name;
  int one_way;
  int hmac;
};
class CmpMacs : public CmpServer, public testing::WithParamInterface<HashRow> {};

TEST_P(CmpMacs, AnIrWithASecretEndsInAConfirmedCertificate) {
  auto asking = client();
  if (GetParam().one_way != 0) asking->option(OSSL_CMP_OPT_OWF_ALGNID, GetParam().one_way);
  if (GetParam().hmac != 0) asking->option(OSSL_CMP_OPT_MAC_ALGNID, GetParam().hmac);
  const auto certificate = asking->ask(OSSL_CMP_IR);
  ASSERT_TRUE(certificate) << world.code();
  EXPECT_EQ(*certificate->public_key(), world.device_key.public_key());
  EXPECT_EQ(certificate->common_name(), "device-1");
  EXPECT_THAT(world.issuer.confirmed, ElementsAre(serial(*certificate)));
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
  EXPECT_EQ(world.issuer.last_body, crypto::CmpBody::kIr);
  EXPECT_EQ(world.issuer.last_asker, "secret " + std::string(kReference));
  EXPECT_EQ(crypto::seen(asking->answers()[0]).body, Body::kIp);
  EXPECT_EQ(crypto::seen(asking->answers()[1]).body, Body::kPkiConf);
}
INSTANTIATE_TEST_SUITE_P(All, CmpMacs,
                         testing::Values(HashRow{"default", 0, 0}, HashRow{"sha256", NID_sha256, NID_hmacWithSHA256},
                                         HashRow{"sha384", NID_sha384, NID_hmacWithSHA384},
                                         HashRow{"sha512", NID_sha512, NID_hmacWithSHA512},
                                         HashRow{"sha1", NID_sha256, NID_hmacWithSHA1}),
                         [](const auto& row) { return row.param.name; });

class CmpKeys : public CmpServer, public testing::WithParamInterface<KeyKind> {};

TEST_P(CmpKeys, AreCertifiedAndSignTheirRenewal) {
  world.device_key = PrivateKey::generate(GetParam());
  auto asking = client();
  const auto first = asking->ask(OSSL_CMP_CR);
  ASSERT_TRUE(first) << world.code();
  EXPECT_EQ(crypto::seen(asking->answers()[0]).body, Body::kCp);
  old_key = std::move(world.device_key);
  world.device_key = PrivateKey::generate(GetParam());
  auto renewing = known_client(*first);
  const auto second = renewing->ask(OSSL_CMP_KUR);
  ASSERT_TRUE(second) << world.code();
  EXPECT_EQ(*second->public_key(), world.device_key.public_key());
  EXPECT_EQ(world.issuer.last_body, crypto::CmpBody::kKur);
  EXPECT_THAT(world.issuer.confirmed, ElementsAre(serial(*first), serial(*second)));
  EXPECT_EQ(crypto::seen(renewing->answers()[0]).body, Body::kKup);
}
INSTANTIATE_TEST_SUITE_P(All, CmpKeys, testing::Values(KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048));

TEST_F(CmpServer, AP10crIsTakenAsAnIrIs) {
  const auto request =
      *crypto::make_certificate_request({.common_name = "device-1", .dns_names = {"d.example.org"}}, world.device_key);
  const std::uint8_t* end = request.data();
  const crypto::RequestHandle native(d2i_X509_REQ(nullptr, &end, static_cast<long>(request.size())));
  auto asking = client();
  EXPECT_EQ(OSSL_CMP_CTX_set1_p10CSR(asking->native(), native.get()), 1);
  const auto certificate = asking->ask(OSSL_CMP_P10CR);
  ASSERT_TRUE(certificate) << world.code();
  EXPECT_EQ(world.issuer.last_body, crypto::CmpBody::kP10cr);
  EXPECT_THAT(world.issuer.last_names.dns_names, ElementsAre("d.example.org"));
  EXPECT_THAT(world.issuer.confirmed, ElementsAre(serial(*certificate)));
}

TEST_F(CmpServer, ACrWithACertificateIsAnsweredWithASignature) {
  const auto old = old_certificate();
  auto asking = known_client(old);
  const auto certificate = asking->ask(OSSL_CMP_CR);
  ASSERT_TRUE(certificate) << world.code();
  EXPECT_EQ(world.issuer.last_asker, "certificate " + to_hex(old.fingerprint_sha256().bytes()));
}

// The key of the CA lives in another process.
TEST_F(CmpServer, TheKeyThatSignsAnswersMayBeElsewhere) {
  int signatures = 0;
  const auto point = *crypto::ec_public_key(world.cmp_key.public_key());
  world.server->use(world.credential(crypto::Signer::outside(point, [&](const crypto::Digest& digest) -> Result<Bytes> {
    ++signatures;
    return crypto::sign_digest(world.cmp_key, digest);
  })));
  const auto old = old_certificate();
  ASSERT_TRUE(known_client(old)->ask(OSSL_CMP_CR)) << world.code();
  EXPECT_EQ(signatures, 2);
}

TEST_F(CmpServer, NamesComeFromTheTemplate) {
  auto asking = client();
  const crypto::GeneralNameHandle name(a2i_GENERAL_NAME(nullptr, nullptr, nullptr, GEN_DNS, "d.example.org", 0));
  EXPECT_EQ(OSSL_CMP_CTX_push1_subjectAltName(asking->native(), name.get()), 1);
  ASSERT_TRUE(asking->ask(OSSL_CMP_IR)) << world.code();
  EXPECT_EQ(world.issuer.last_names.common_name, "device-1");
  EXPECT_THAT(world.issuer.last_names.dns_names, ElementsAre("d.example.org"));
}

TEST_F(CmpServer, ImplicitConfirmationIsGrantedToWhoAsksForIt) {
  auto asking = client();
  asking->option(OSSL_CMP_OPT_IMPLICIT_CONFIRM, 1);
  const auto certificate = asking->ask(OSSL_CMP_IR);
  ASSERT_TRUE(certificate) << world.code();
  EXPECT_THAT(asking->requests(), SizeIs(1));
  EXPECT_TRUE(crypto::seen(asking->answers()[0]).implicit_confirm);
  EXPECT_THAT(world.issuer.confirmed, ElementsAre(serial(*certificate)));
  world.pass(std::chrono::hours(24));
  world.expire();
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST_F(CmpServer, ImplicitConfirmationThatCannotBeNotedIsNotGranted) {
  world.issuer.confirm_error = Error{ErrorKind::kUnavailable, "store.full", "no room"};
  const auto answer = world.answer(world.opening(
      OSSL_CMP_IR, kReference, kSecret, [](CmpClient& asking) { asking.option(OSSL_CMP_OPT_IMPLICIT_CONFIRM, 1); }));
  EXPECT_EQ(answer.status, OSSL_CMP_PKISTATUS_accepted);
  EXPECT_FALSE(answer.implicit_confirm);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
}

TEST_F(CmpServer, WhatTheClientRejectsIsWithdrawn) {
  auto asking = client();
  OSSL_CMP_CTX_set_certConf_cb(asking->native(), [](OSSL_CMP_CTX*, X509*, int, const char** text) {
    *text = "not what I wanted";
    return 1 << OSSL_CMP_PKIFAILUREINFO_incorrectData;
  });
  EXPECT_FALSE(asking->ask(OSSL_CMP_IR));
  EXPECT_EQ(crypto::seen(asking->answers().back()).body, Body::kPkiConf);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_THAT(world.issuer.withdrawn, SizeIs(1));
  world.pass(std::chrono::hours(1));
  world.expire();
  EXPECT_THAT(world.issuer.withdrawn, SizeIs(1));
}

// A rejection that nobody can carry out now is carried out later.
TEST_F(CmpServer, WhatCannotBeWithdrawnNowIsWithdrawnLater) {
  for (const ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kInternal}) {
    world.issuer.withdrawn.clear();
    world.issuer.secrets[std::string(kReference)] = {std::string(kSecret)};
    world.issuer.withdraw_error = Error{kind, "store.full", "no room"};
    reject();
    const auto tried = world.server->expire();
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, "store.full");
    EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
    world.issuer.withdraw_error.reset();
    world.expire();
    EXPECT_THAT(world.issuer.withdrawn, SizeIs(1));
    world.expire();
    EXPECT_THAT(world.issuer.withdrawn, SizeIs(1));
  }
}

// What will never be carried out is told once.
TEST_F(CmpServer, WhatCanNeverBeWithdrawnIsNotTriedAgain) {
  world.issuer.withdraw_error = Error{ErrorKind::kNotFound, "certificate.unknown", "not ours"};
  reject();
  EXPECT_EQ(world.code(), "certificate.unknown");
  world.issuer.withdraw_error.reset();
  world.expire();
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

// The CA takes it back, not the server: who comes again meanwhile gets it again.
TEST_F(CmpServer, WhatNobodyConfirmsInTimeIsForgotten) {
  const Bytes request = world.opening();
  ASSERT_EQ(world.answer(request).status, OSSL_CMP_PKISTATUS_accepted);
  world.pass(world.limits.confirm_within - std::chrono::seconds(1));
  world.expire();
  EXPECT_EQ(world.server->transactions(), 1U);
  world.pass(std::chrono::seconds(1));
  world.expire();
  EXPECT_EQ(world.server->transactions(), 0U);
  ASSERT_EQ(world.answer(request).status, OSSL_CMP_PKISTATUS_accepted);
  EXPECT_EQ(world.issuer.issue_calls, 2);
  EXPECT_THAT(world.issuer.issued, SizeIs(1));
  world.expire();
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

// As OpenSSL gives up polling.
TEST_F(CmpServer, AnErrorOfTheClientEndsItsTransaction) {
  world.issuer.on_issue = [](const Order&) { return Result<Decision>(Wait{std::chrono::seconds(30)}); };
  auto polling = client();
  int after = 0;
  EXPECT_EQ(OSSL_CMP_try_certreq(polling->native(), OSSL_CMP_IR, nullptr, &after), -1);
  EXPECT_EQ(OSSL_CMP_try_certreq(polling->native(), -1, nullptr, &after), 1);
  EXPECT_EQ(crypto::seen(polling->answers().back()).body, Body::kPkiConf);
  EXPECT_EQ(OSSL_CMP_try_certreq(polling->native(), OSSL_CMP_IR, nullptr, &after), 0);
  EXPECT_EQ(world.code(), "cmp.transaction");
  ERR_clear_error();
}

TEST_F(CmpServer, WhoWaitsPollsUntilItIsDecided) {
  bool is_decided = false;
  int asked = 0;
  world.issuer.on_issue = [&](const Order& order) -> std::optional<Result<Decision>> {
    ++asked;
    EXPECT_EQ(order.names.common_name, "device-1");
    if (is_decided) return std::nullopt;
    return Result<Decision>(Wait{std::chrono::seconds(20)});
  };
  auto asking = client();
  int after = 0;
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1);
  EXPECT_EQ(after, 20);
  EXPECT_EQ(crypto::seen(asking->answers()[0]).status, OSSL_CMP_PKISTATUS_waiting);
  EXPECT_EQ(crypto::seen(asking->answers()[1]).body, Body::kPollRep);
  EXPECT_EQ(asked, 1);  // the CA is not asked before the time that it named
  world.pass(std::chrono::seconds(5));
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1);
  EXPECT_EQ(after, 15);
  EXPECT_EQ(asked, 1);
  world.pass(std::chrono::seconds(15));
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1);
  EXPECT_EQ(asked, 2);
  is_decided = true;
  world.pass(std::chrono::seconds(20));
  ASSERT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), 1) << world.code();
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
}

// Who comes early is told to wait for what is left, and that grows no longer by it.
TEST_F(CmpServer, WhoPollsOftenWaitsNoLonger) {
  int asked = 0;
  world.issuer.on_issue = [&](const Order&) -> std::optional<Result<Decision>> {
    if (++asked > 1) return std::nullopt;
    return Result<Decision>(Wait{std::chrono::seconds(20)});
  };
  auto asking = client();
  int after = 0;
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1);
  for (auto waited = std::chrono::milliseconds(900); waited < std::chrono::seconds(20);
       waited += std::chrono::milliseconds(900)) {
    world.pass(std::chrono::milliseconds(900));
    ASSERT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1) << waited.count();
    EXPECT_EQ(asked, 1);
  }
  EXPECT_EQ(after, 1);
  world.pass(std::chrono::milliseconds(900));
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), 1) << world.code();
  EXPECT_EQ(asked, 2);
}

TEST_F(CmpServer, WhoWaitsHearsAtLastThatItIsRefused) {
  bool is_decided = false;
  world.issuer.on_issue = [&](const Order&) -> std::optional<Result<Decision>> {
    if (is_decided) return Result<Decision>(refused("device.hold", "the device is on hold", "where"));
    return Result<Decision>(Wait{std::chrono::seconds(20)});
  };
  auto asking = client();
  int after = 0;
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1);
  is_decided = true;
  world.pass(std::chrono::seconds(20));
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), 0);
  ERR_clear_error();
  const auto answer = crypto::seen(asking->answers().back());
  EXPECT_EQ(answer.body, Body::kIp);
  EXPECT_EQ(answer.status, OSSL_CMP_PKISTATUS_rejection);
  EXPECT_EQ(answer.failure, bit(CmpFailure::kNotAuthorized));
  EXPECT_EQ(answer.text, "device.hold");
}

TEST_F(CmpServer, WhoPollsWhileTheCaIsAwayPollsAgain) {
  bool is_away = false;
  world.issuer.on_issue = [&](const Order&) -> std::optional<Result<Decision>> {
    if (is_away) return Result<Decision>(Error{ErrorKind::kUnavailable, "store.full", "no room"});
    return Result<Decision>(Wait{std::chrono::seconds(20)});
  };
  auto asking = client();
  int after = 0;
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1);
  is_away = true;
  world.pass(std::chrono::seconds(20));
  EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_IR, nullptr, &after), -1);
  EXPECT_EQ(after, 30);
  EXPECT_EQ(world.code(), "store.full");
}

TEST_F(CmpServer, WhoWaitsForeverIsForgotten) {
  world.issuer.on_issue = [](const Order&) { return Result<Decision>(Wait{std::chrono::seconds(20)}); };
  ASSERT_EQ(world.answer(world.opening()).status, OSSL_CMP_PKISTATUS_waiting);
  world.pass(world.limits.decide_within);
  world.expire();
  EXPECT_EQ(world.server->transactions(), 0U);
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST_F(CmpServer, ARevocationNamesWhatAndWhy) {
  const auto old = old_certificate();
  for (const int reason : {-1, 1, 5}) {
    auto asking = known_client(old);
    EXPECT_EQ(OSSL_CMP_CTX_set1_oldCert(asking->native(), old.native()), 1);
    asking->option(OSSL_CMP_OPT_REVOCATION_REASON, reason);
    EXPECT_EQ(OSSL_CMP_exec_RR_ses(asking->native()), 1) << world.code();
    const auto& [asker, number, why] = world.issuer.revoked.back();
    EXPECT_EQ(asker, "certificate " + to_hex(old.fingerprint_sha256().bytes()));
    EXPECT_EQ(number, serial(old));
    EXPECT_EQ(static_cast<int>(why), std::max(reason, 0));
  }
}

TEST_F(CmpServer, ARevocationMayBeRefused) {
  world.issuer.revoke_error = Error{ErrorKind::kNotFound, "certificate.serial", "none", "", "secret detail"};
  const auto old = old_certificate();
  auto asking = known_client(old);
  EXPECT_EQ(OSSL_CMP_CTX_set1_oldCert(asking->native(), old.native()), 1);
  EXPECT_EQ(OSSL_CMP_exec_RR_ses(asking->native()), 0);
  ERR_clear_error();
  const auto answer = crypto::seen(asking->answers().back());
  EXPECT_EQ(answer.body, Body::kRp);
  EXPECT_EQ(answer.failure, bit(CmpFailure::kBadCertId));
  EXPECT_EQ(answer.text, "certificate.serial");
}

TEST_F(CmpServer, TellsItsCaCertificatesAndNothingOfWhatItDoesNotKnow) {
  auto asking = client();
  for (const char* type : {"1.3.6.1.5.5.7.4.17", "1.3.6.1.5.5.7.4.18", "1.3.6.1.5.5.7.4.19", "1.2.3.4"})
    EXPECT_EQ(OSSL_CMP_CTX_push0_genm_ITAV(asking->native(), OSSL_CMP_ITAV_create(OBJ_txt2obj(type, 1), nullptr)), 1);
  STACK_OF(OSSL_CMP_ITAV)* infos = OSSL_CMP_exec_GENM_ses(asking->native());
  ASSERT_NE(infos, nullptr) << world.code();
  ASSERT_EQ(sk_OSSL_CMP_ITAV_num(infos), 4);
  const ASN1_TYPE* value = OSSL_CMP_ITAV_get0_value(sk_OSSL_CMP_ITAV_value(infos, 0));
  ASSERT_NE(value, nullptr);
  const Bytes root = world.issuer.root.to_der();
  const ByteView content = crypto::asn1_content(value->value.sequence);
  EXPECT_EQ(to_bytes(content.last(root.size())), root);
  for (const int other : {1, 2, 3})
    EXPECT_EQ(OSSL_CMP_ITAV_get0_value(sk_OSSL_CMP_ITAV_value(infos, other)), nullptr);
  sk_OSSL_CMP_ITAV_pop_free(infos, OSSL_CMP_ITAV_free);
}

TEST_F(CmpServer, AGenmThatAsksNothingIsAnsweredSo) {
  auto asking = client();
  STACK_OF(OSSL_CMP_ITAV)* infos = OSSL_CMP_exec_GENM_ses(asking->native());
  EXPECT_NE(infos, nullptr);
  EXPECT_EQ(sk_OSSL_CMP_ITAV_num(infos), 0);
  sk_OSSL_CMP_ITAV_free(infos);
  EXPECT_EQ(world.server->transactions(), 0U);
}

TEST_F(CmpServer, ARefusalIsToldByItsCodeAlone) {
  const Error why{ErrorKind::kRefused, "device.hold", "on hold by Jane", "row 7", "enrolled as 1234"};
  world.issuer.on_issue = [&](const Order&) { return Result<Decision>(why); };
  auto asking = client();
  EXPECT_FALSE(asking->ask(OSSL_CMP_IR));
  const auto answer = crypto::seen(asking->answers().back());
  EXPECT_EQ(answer.body, Body::kIp);
  EXPECT_EQ(answer.failure, bit(CmpFailure::kNotAuthorized));
  EXPECT_EQ(answer.text, "device.hold");
  for (const std::string_view secret : {"Jane", "row 7", "1234"})
    EXPECT_EQ(as_text(asking->answers().back()).find(secret), std::string_view::npos);
  EXPECT_EQ(world.last.error->operator_detail, "enrolled as 1234");
  EXPECT_EQ(world.last.asker, kReference);
}

TEST_F(CmpServer, EachKindOfErrorHasAFailureThatFits) {
  const std::vector<std::pair<ErrorKind, CmpFailure>> rows = {
      {ErrorKind::kInvalidInput, CmpFailure::kBadRequest}, {ErrorKind::kUnauthenticated, CmpFailure::kSignerNotTrusted},
      {ErrorKind::kRefused, CmpFailure::kNotAuthorized},   {ErrorKind::kConflict, CmpFailure::kDuplicateCertReq},
      {ErrorKind::kThrottled, CmpFailure::kSystemUnavail}, {ErrorKind::kUnavailable, CmpFailure::kSystemUnavail},
      {ErrorKind::kInternal, CmpFailure::kSystemFailure},  {ErrorKind::kNotFound, CmpFailure::kBadCertId}};
  for (const auto& [kind, failure] : rows) {
    world.issuer.on_issue = [kind = kind](const Order&) { return Result<Decision>(Error{kind, "device.test", "x"}); };
    EXPECT_EQ(world.answer(world.opening()).failure, bit(failure));
  }
}

// The answer was lost, or the client lost power.
TEST_F(CmpServer, TheSameRequestHasTheSameAnswer) {
  const Bytes request = world.opening();
  const Bytes answer = world.server->answer(request).der;
  EXPECT_EQ(world.server->answer(request).der, answer);
  EXPECT_EQ(world.issuer.issue_calls, 1);
  EXPECT_THAT(world.issuer.issued, SizeIs(1));
}

TEST_F(CmpServer, TheSameConfirmationHasTheSameAnswer) {
  auto asking = client();
  ASSERT_TRUE(asking->ask(OSSL_CMP_IR));
  EXPECT_EQ(world.server->answer(asking->requests()[1]).der, asking->answers()[1]);
  EXPECT_EQ(world.server->answer(asking->requests()[0]).der, asking->answers()[0]);
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
}

TEST_F(CmpServer, TheSameRequestAfterARestartHasTheSameCertificate) {
  const Bytes request = world.opening();
  ASSERT_EQ(world.answer(request).status, OSSL_CMP_PKISTATUS_accepted);
  const auto first = world.issuer.issued.begin()->second.serial();
  world.restart();
  ASSERT_EQ(world.answer(request).status, OSSL_CMP_PKISTATUS_accepted);
  EXPECT_THAT(world.issuer.issued, SizeIs(1));
  EXPECT_EQ(world.issuer.issued.begin()->second.serial(), first);
}

TEST_F(CmpServer, ARequestThatCameAtABadTimeMayComeAgain) {
  const Bytes request = world.opening();
  world.issuer.on_issue = [](const Order&) {
    return Result<Decision>(Error{ErrorKind::kUnavailable, "store.full", "no room"});
  };
  EXPECT_EQ(world.answer(request).failure, bit(CmpFailure::kSystemUnavail));
  EXPECT_EQ(world.server->transactions(), 0U);
  world.issuer.on_issue = nullptr;
  EXPECT_EQ(world.answer(request).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpServer, AnAnswerThatCouldNotBeSignedIsSignedWhenTheRequestComesAgain) {
  bool is_away = true;
  world.sign_elsewhere(is_away);
  const auto old = old_certificate();
  CmpClient silent([](Bytes) { return Bytes(); });
  silent.by_certificate(old, old_key, world.issuer.root);
  silent.want("device-1", world.device_key);
  EXPECT_FALSE(silent.ask(OSSL_CMP_CR));
  const auto no = world.answer(silent.requests()[0]);
  EXPECT_EQ(no.failure, bit(CmpFailure::kSystemUnavail));
  EXPECT_FALSE(no.is_protected);
  is_away = false;
  EXPECT_EQ(world.answer(silent.requests()[0]).status, OSSL_CMP_PKISTATUS_accepted);
  EXPECT_THAT(world.issuer.issued, SizeIs(1));
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

// The same for who polls; and if the CA has thought better of it meanwhile, that is what it hears.
TEST_F(CmpServer, WhoPollsHearsWhatCouldNotBeSigned) {
  for (const bool is_refused_then : {false, true}) {
    enum { kWait, kIssue, kRefuse } decision = kWait;
    bool is_away = false;
    world.sign_elsewhere(is_away);
    world.issuer.on_issue = [&](const Order&) -> std::optional<Result<Decision>> {
      if (decision == kWait) return Result<Decision>(Wait{std::chrono::seconds(20)});
      if (decision == kRefuse) return Result<Decision>(refused("device.hold", "on hold"));
      return std::nullopt;
    };
    const auto old = old_certificate();
    auto asking = known_client(old);
    int after = 0;
    EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_CR, nullptr, &after), -1);
    decision = kIssue;
    is_away = true;
    world.pass(std::chrono::seconds(20));
    EXPECT_EQ(OSSL_CMP_try_certreq(asking->native(), OSSL_CMP_CR, nullptr, &after), 0);
    ERR_clear_error();
    is_away = false;
    if (is_refused_then) decision = kRefuse;
    const auto answer = world.answer(asking->requests().back());
    EXPECT_EQ(answer.body, Body::kCp);
    EXPECT_EQ(answer.status, is_refused_then ? OSSL_CMP_PKISTATUS_rejection : OSSL_CMP_PKISTATUS_accepted);
    EXPECT_EQ(world.server->answer(asking->requests().back()).der, world.last.der);
    world.expire();
    EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
    world.server->use(world.credential(world.cmp_key));
  }
}

TEST_F(CmpServer, AConfirmationWhoseAnswerCouldNotBeSignedMayComeAgain) {
  bool is_away = false;
  world.sign_elsewhere(is_away);
  const auto old = old_certificate();
  Bytes confirmation;
  CmpClient asking([&](Bytes request) {
    is_away = crypto::seen(request).body == Body::kCertConf;
    if (is_away) confirmation = request;
    return world.server->answer(request).der;
  });
  asking.by_certificate(old, old_key, world.issuer.root);
  asking.want("device-1", world.device_key);
  EXPECT_FALSE(asking.ask(OSSL_CMP_CR));
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
  is_away = false;
  EXPECT_EQ(world.answer(confirmation).body, Body::kPkiConf);
  EXPECT_EQ(world.code(), "");
}

TEST_F(CmpServer, TakesACredentialOnlyWithItsKey) {
  const auto wrong = Credential::of(world.issuer.made("cmp", old_key), {}, world.cmp_key);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "cmp.credential");
}

TEST_F(CmpServer, NothingStaysInTheErrorQueueOfOpenSsl) {
  const auto without_proof = [](CmpClient& asking) { asking.option(OSSL_CMP_OPT_POPO_METHOD, -1); };
  for (const Bytes& request : {to_bytes(as_bytes("garbage")), Bytes(), world.opening(OSSL_CMP_IR, kReference, "wrong"),
                               world.opening(OSSL_CMP_IR, kReference, kSecret, without_proof), world.opening()}) {
    ERR_clear_error();
    world.server->answer(request);
    EXPECT_EQ(ERR_peek_error(), 0U) << ERR_error_string(ERR_peek_error(), nullptr) << " after " << world.code();
  }
}

}  // namespace
}  // namespace warifu::cmp
