#include "cmp/hostile_world_test.h"

// Who protected a message, and how (RFC 4210, 5.1.3).
namespace warifu::cmp {
namespace {

// What the secret is, whether the reference is known, spent or expired: all the same to who cannot say the secret.
TEST_F(CmpHostile, AWrongSecretIsAnsweredLikeAnUnknownReference) {
  expect_refused(world.opening(OSSL_CMP_IR, kReference, "wrong"), "crypto.cmp.protection",
                 CmpFailure::kBadMessageCheck);
  EXPECT_FALSE(crypto::seen(world.last.der).is_protected);
  EXPECT_EQ(world.last.asker, kReference);
  expect_refused(world.opening(OSSL_CMP_IR, "unknown", kSecret), "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  world.issuer.secrets["spent"] = {std::string(kSecret), Bytes(16, 1)};
  expect_refused(world.opening(OSSL_CMP_IR, "spent", kSecret), "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  world.issuer.secrets["empty"] = {""};
  expect_refused(world.opening(OSSL_CMP_IR, "empty", "x"), "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  expect_refused(world.opening(OSSL_CMP_IR, std::string_view("nul\0", 4), kSecret), "crypto.cmp.protection",
                 CmpFailure::kBadMessageCheck);
  expect_nothing_happened();
}

TEST_F(CmpHostile, WhoCannotLookAtTheSecretsSaysSo) {
  world.issuer.secret_error = Error{ErrorKind::kUnavailable, "store.full", "no room"};
  expect_refused(world.opening(), "store.full", CmpFailure::kSystemUnavail);
}

TEST_F(CmpHostile, ASecretIsSpentByOneTransaction) {
  const Bytes first = world.opening();
  EXPECT_EQ(world.answer(first).status, OSSL_CMP_PKISTATUS_accepted);
  expect_refused(world.opening(), "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  expect_refused(
      remade(first, [](PkiMessage& message) { crypto::set_octets(&message.header->transactionID, Bytes(16, 7)); }),
      "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  EXPECT_THAT(world.issuer.issued, SizeIs(1));
}

TEST_F(CmpHostile, AnUnprotectedMessageIsRefused) {
  for (const int type : {OSSL_CMP_IR, OSSL_CMP_CR}) {
    expect_refused(world.opening(type, kReference, kSecret,
                                 [](CmpClient& client) { client.option(OSSL_CMP_OPT_UNPROTECTED_SEND, 1); }),
                   "crypto.cmp.unprotected", CmpFailure::kBadMessageCheck);
  }
  expect_refused(crypto::changed(world.opening(),
                                 [](PkiMessage& message) {
                                   ASN1_BIT_STRING_free(message.protection);
                                   message.protection = nullptr;
                                 }),
                 "crypto.cmp.unprotected", CmpFailure::kBadMessageCheck);
  expect_nothing_happened();
}

// Before anything is computed: what a MAC costs is not for strangers to choose.
TEST_F(CmpHostile, AMacThatCostsTooMuchIsNotComputed) {
  const auto with_iterations = [&](std::int64_t count) {
    return crypto::changed(world.opening(), [&](PkiMessage& message) {
      ASN1_TYPE* parameter = message.header->protectionAlg->parameter;
      const auto pbm =
          crypto::asn1::item_from_der<crypto::asn1::PbmParameter>(crypto::asn1_content(parameter->value.sequence));
      EXPECT_EQ(ASN1_INTEGER_set_int64(pbm->iterationCount, count), 1);
      const Bytes der = crypto::asn1::item_to_der(pbm.get());
      EXPECT_EQ(ASN1_STRING_set(parameter->value.sequence, der.data(), crypto::to_int(der.size())), 1);
    });
  };
  world.issuer.secret_error = Error{ErrorKind::kInternal, "device.test", "the secret was asked for"};
  for (const std::int64_t count : {std::int64_t{100'001}, std::int64_t{1} << 40, std::int64_t{-1}, std::int64_t{99}})
    expect_refused(with_iterations(count), "crypto.cmp.algorithm", CmpFailure::kBadAlg);
  expect_refused(with_iterations(100'000), "device.test", CmpFailure::kSystemFailure);
}

TEST_F(CmpHostile, AMacByAWeakHashIsRefused) {
  for (const int hash : {NID_sha1, NID_md5, NID_sha224})
    expect_refused(world.opening(OSSL_CMP_IR, kReference, kSecret,
                                 [&](CmpClient& client) { client.option(OSSL_CMP_OPT_OWF_ALGNID, hash); }),
                   "crypto.cmp.algorithm", CmpFailure::kBadAlg);
  expect_refused(world.opening(OSSL_CMP_IR, kReference, kSecret,
                               [](CmpClient& client) { client.option(OSSL_CMP_OPT_MAC_ALGNID, NID_hmacWithMD5); }),
                 "crypto.cmp.algorithm", CmpFailure::kBadAlg);
}

TEST_F(CmpHostile, ASignatureOverAWeakHashIsRefused) {
  const auto certificate = world.issuer.made("device-1", old_key);
  for (const int hash : {NID_sha1, NID_sha224})
    expect_refused(signed_opening(OSSL_CMP_CR, certificate, old_key,
                                  [&](CmpClient& client) { client.option(OSSL_CMP_OPT_DIGEST_ALGNID, hash); }),
                   "crypto.cmp.algorithm", CmpFailure::kBadAlg);
}

TEST_F(CmpHostile, AStrangersCertificateIsRefused) {
  TestIssuer elsewhere(world.clock.now());
  expect_refused(signed_opening(OSSL_CMP_CR, elsewhere.made("device-1", old_key), old_key), "certificate.unknown",
                 CmpFailure::kNotAuthorized);
  EXPECT_FALSE(crypto::seen(world.last.der).is_protected);
  EXPECT_EQ(world.last.asker, "device-1");
  expect_nothing_happened();
}

// What a verification costs is not for who made the key to choose. Nor is how long lines of the log are.
TEST_F(CmpHostile, ASignersKeyThatCostsTooMuchIsNotUsed) {
  const auto own = world.issuer.made("device-1", old_key);
  const auto with_signer = [&](std::uint64_t exponent) {
    const crypto::PkeyHandle key = with_exponent(PrivateKey::generate(KeyKind::kRsa2048), exponent);
    const crypto::Handle<X509, X509_free> certificate(X509_dup(own.native()));
    const crypto::Handle<X509_NAME, X509_NAME_free> name(X509_NAME_new());
    const std::string text(1000, 'a');
    EXPECT_EQ(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_UTF8STRING, as_bytes(text).data(),
                                         crypto::to_int(text.size()), -1, 0),
              1);
    EXPECT_EQ(X509_set_subject_name(certificate.get(), name.get()), 1);
    EXPECT_EQ(X509_set_pubkey(certificate.get(), key.get()), 1);
    EXPECT_GT(X509_sign(certificate.get(), old_key.native(), EVP_sha256()), 0);
    return crypto::changed(signed_opening(OSSL_CMP_CR, own, old_key), [&](PkiMessage& message) {
      X509_free(sk_X509_value(message.extraCerts, 0));
      X509_up_ref(certificate.get());
      sk_X509_set(message.extraCerts, 0, certificate.get());
    });
  };
  expect_refused(with_signer((std::uint64_t{1} << 32) + 1), "crypto.key.kind", CmpFailure::kBadCertTemplate);
  EXPECT_EQ(world.last.asker, std::string(128, 'a'));
  expect_refused(with_signer(65537), "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  expect_nothing_happened();
}

// The certificate of another device can be had by everybody.
TEST_F(CmpHostile, SomebodyElsesCertificateIsRefused) {
  const auto victim = world.issuer.made("victim", PrivateKey::generate(KeyKind::kEcP256));
  const auto own = world.issuer.made("victim", old_key);
  const Bytes request = signed_opening(OSSL_CMP_CR, own, old_key);
  expect_refused(crypto::changed(request,
                                 [&](PkiMessage& message) {
                                   X509_free(sk_X509_value(message.extraCerts, 0));
                                   X509_up_ref(victim.native());
                                   sk_X509_set(message.extraCerts, 0, victim.native());
                                 }),
                 "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  expect_refused(crypto::changed(request,
                                 [&](PkiMessage& message) {
                                   sk_X509_pop_free(message.extraCerts, X509_free);
                                   message.extraCerts = nullptr;
                                 }),
                 "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  expect_nothing_happened();
}

TEST_F(CmpHostile, ASignerWritesInItsOwnName) {
  const auto own = world.issuer.made("device-1", old_key);
  const auto other = world.issuer.made("other", old_key);
  const Bytes request = signed_opening(OSSL_CMP_CR, own, old_key);
  expect_refused(resigned(request, old_key,
                          [&](PkiMessage& message) {
                            X509_NAME_free(message.header->sender->d.directoryName);
                            GENERAL_NAME_set0_value(message.header->sender, GEN_DIRNAME,
                                                    X509_NAME_dup(X509_get_subject_name(other.native())));
                          }),
                 "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  expect_refused(resigned(request, old_key,
                          [](PkiMessage& message) { crypto::set_octets(&message.header->senderKID, Bytes(20, 1)); }),
                 "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  EXPECT_EQ(world.answer(resigned(request, old_key, [](PkiMessage&) {})).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, AKeyThatMayNotSignDoesNot) {
  const CertificateProfile agreement{.common_name = "device-1",
                                     .not_before = world.clock.now() - std::chrono::hours(1),
                                     .not_after = world.clock.now() + std::chrono::hours(1),
                                     .key_agreement = true};
  const auto certificate = *crypto::issue_certificate(agreement, old_key.public_key(), &world.issuer.root,
                                                      world.issuer.root_key, world.entropy);
  expect_refused(signed_opening(OSSL_CMP_CR, certificate, old_key), "crypto.cmp.protection",
                 CmpFailure::kBadMessageCheck);
}

}  // namespace
}  // namespace warifu::cmp
