#include <gmock/gmock.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "cmp/server.h"
#include "cmp/world_test.h"

// What must be refused, and change nothing.
namespace warifu::cmp {
namespace {

using crypto::CmpClient;
using crypto::KeyKind;
using crypto::asn1::PkiMessage;
using crypto::asn1::ProtectedPart;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kRevoke = 11;  // beside the types of OSSL_CMP_exec_certreq()

// Signed again by who has the key of the certificate.
Bytes resigned(ByteView der, const PrivateKey& key, const std::function<void(PkiMessage&)>& change) {
  return crypto::changed(der, [&](PkiMessage& message) {
    change(message);
    ProtectedPart part{message.header, message.body};
    EXPECT_GT(ASN1_item_sign(ProtectedPart::item(), message.header->protectionAlg, nullptr, message.protection, &part,
                             key.native(), EVP_sha256()),
              0);
  });
}

class CmpHostile : public testing::Test {
 protected:
  Bytes remade(ByteView der, const std::function<void(PkiMessage&)>& change) {
    return crypto::remade(der, kSecret, change);
  }
  // A certificate was issued; the confirmation that the client would send now.
  Bytes confirmation() {
    Bytes held;
    CmpClient client([&](Bytes request) {
      if (held.empty() && crypto::seen(request).body == Body::kIr) return world.server->answer(request).der;
      held = request;
      return Bytes();
    });
    client.by_secret(kReference, kSecret);
    client.want("device-1", world.device_key);
    EXPECT_FALSE(client.ask(OSSL_CMP_IR));
    EXPECT_FALSE(held.empty());
    return held;
  }
  // The first request of who has a certificate under the root.
  Bytes signed_opening(int type, const Certificate& certificate, const PrivateKey& key,
                       const std::function<void(CmpClient&)>& prepare = nullptr) {
    CmpClient client([](Bytes) { return Bytes(); });
    client.by_certificate(certificate, key, world.issuer.root);
    client.want("device-1", world.device_key);
    if (prepare) prepare(client);
    if (type == kRevoke)
      OSSL_CMP_exec_RR_ses(client.native());
    else
      client.ask(type);
    ERR_clear_error();
    EXPECT_THAT(client.requests(), SizeIs(1));
    return client.requests().at(0);
  }
  void expect_nothing_happened() {
    EXPECT_EQ(world.issuer.issue_calls, 0);
    EXPECT_EQ(world.server->transactions(), 0U);
    EXPECT_FALSE(world.issuer.secrets[std::string(kReference)].spent_by);
  }
  void expect_refused(ByteView request, std::string_view code, CmpFailure failure) {
    const auto answer = world.answer(request);
    EXPECT_EQ(world.code(), code);
    EXPECT_EQ(answer.failure, bit(failure)) << code;
    EXPECT_EQ(answer.text, code);
  }

  World world;
  PrivateKey old_key = PrivateKey::generate(KeyKind::kEcP256);
};

TEST_F(CmpHostile, NoPrefixOfAMessageIsTaken) {
  for (const Bytes& whole :
       {world.opening(), signed_opening(OSSL_CMP_CR, world.issuer.made("device-1", old_key), old_key)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto answer = world.answer(ByteView(whole).first(size));
      ASSERT_EQ(world.code(), "crypto.cmp.form") << size;
      ASSERT_EQ(answer.body, Body::kError);
      ASSERT_EQ(answer.failure, bit(CmpFailure::kBadDataFormat));
      ASSERT_FALSE(answer.is_protected);
    }
    Bytes longer = whole;
    longer.push_back(0);
    expect_refused(longer, "crypto.cmp.form", CmpFailure::kBadDataFormat);
  }
  expect_nothing_happened();
}

TEST_F(CmpHostile, NoBitOfAMessageMayBeAnother) {
  const Bytes whole = world.opening();
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const unsigned mask : {0x01U, 0x80U, 0x20U}) {
      Bytes flipped = whole;
      flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ mask);
      ASSERT_FALSE(world.answer(flipped).is_protected) << i;
      ASSERT_TRUE(world.last.error) << i;
    }
  expect_nothing_happened();
  EXPECT_EQ(world.answer(whole).status, OSSL_CMP_PKISTATUS_accepted);
}

// Else a MAC whose last bits are zero would have several forms.
TEST_F(CmpHostile, AMacIsWholeBytes) {
  Bytes even;
  for (std::uint8_t i = 0; even.empty() || (even.back() & 1) != 0; ++i)
    even = remade(world.opening(),
                  [&](PkiMessage& message) { crypto::set_octets(&message.header->senderNonce, Bytes(16, i)); });
  const Bytes odd = crypto::changed(even, [](PkiMessage& message) { message.protection->flags |= 1; });
  ASSERT_EQ(odd.size(), even.size());
  expect_refused(odd, "crypto.cmp.form", CmpFailure::kBadDataFormat);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(even).status, OSSL_CMP_PKISTATUS_accepted);
}

// The signer's certificate is not under the signature; another one does not fit it.
TEST_F(CmpHostile, NoBitOfASignedMessageMayBeAnother) {
  const Bytes whole = signed_opening(OSSL_CMP_CR, world.issuer.made("device-1", old_key), old_key);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes flipped = whole;
    flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ 0x01);
    world.answer(flipped);
    ASSERT_TRUE(world.last.error) << i;
  }
  EXPECT_EQ(world.issuer.issue_calls, 0);
  EXPECT_EQ(world.server->transactions(), 0U);
}

TEST_F(CmpHostile, WhatIsTooLongIsNotEvenRead) {
  Bytes long_one(crypto::CmpMessage::kMaxSize + 1, 0x30);
  expect_refused(long_one, "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

TEST_F(CmpHostile, AnotherEncodingOfAMessageIsNotTaken) {
  Bytes other = world.opening();
  ASSERT_EQ(other[1], 0x82);  // a length in two bytes; now in three
  other[1] = 0x83;
  other.insert(other.begin() + 2, 0);
  expect_refused(other, "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

// What the secret is, whether the reference is known, spent or expired: all the same to who cannot say the secret.
TEST_F(CmpHostile, AWrongSecretIsAnsweredLikeAnUnknownReference) {
  expect_refused(world.opening(OSSL_CMP_IR, kReference, "wrong"), "crypto.cmp.protection",
                 CmpFailure::kBadMessageCheck);
  EXPECT_FALSE(crypto::seen(world.last.der).is_protected);
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

TEST_F(CmpHostile, ProofOfPossessionIsASignatureOverTheRequest) {
  for (const int method : {OSSL_CRMF_POPO_NONE, OSSL_CRMF_POPO_RAVERIFIED, OSSL_CRMF_POPO_KEYENC}) {
    for (const int type : {OSSL_CMP_IR, OSSL_CMP_CR})
      expect_refused(world.opening(type, kReference, kSecret,
                                   [&](CmpClient& client) { client.option(OSSL_CMP_OPT_POPO_METHOD, method); }),
                     "crypto.cmp.proof", CmpFailure::kBadPop);
    const auto certificate = world.issuer.made("device-1", old_key);
    expect_refused(signed_opening(OSSL_CMP_KUR, certificate, old_key,
                                  [&](CmpClient& client) { client.option(OSSL_CMP_OPT_POPO_METHOD, method); }),
                   "crypto.cmp.proof", CmpFailure::kBadPop);
  }
  expect_nothing_happened();
}

// A request for `key`, proved by another one, in an ir.
Bytes opening_with(World& world, EVP_PKEY* asked_for, EVP_PKEY* signer, const EVP_MD* hash) {
  CmpClient client([](Bytes) { return Bytes(); });
  client.by_secret(kReference, kSecret);
  client.want("device-1", world.device_key);
  client.option(OSSL_CMP_OPT_POPO_METHOD, OSSL_CRMF_POPO_NONE);  // it stands in the message
  EVP_PKEY_up_ref(asked_for);
  EXPECT_EQ(OSSL_CMP_CTX_set0_newPkey(client.native(), 0, asked_for), 1);
  const crypto::Handle<OSSL_CRMF_MSG, OSSL_CRMF_MSG_free> message(OSSL_CMP_CTX_setup_CRM(client.native(), 0, 0));
  EXPECT_EQ(OSSL_CRMF_MSG_create_popo(OSSL_CRMF_POPO_SIGNATURE, message.get(), signer, hash, nullptr, nullptr), 1);
  EXPECT_FALSE(client.ask(OSSL_CMP_IR, message.get()));
  return client.requests().at(0);
}

TEST_F(CmpHostile, AnotherKeyProvesNothing) {
  EXPECT_EQ(world.answer(opening_with(world, world.device_key.native(), old_key.native(), EVP_sha256())).body,
            Body::kIp);
  EXPECT_EQ(world.code(), "crypto.cmp.proof");
  expect_refused(opening_with(world, world.device_key.native(), world.device_key.native(), EVP_sha1()),
                 "crypto.cmp.proof", CmpFailure::kBadPop);
  expect_nothing_happened();
  EXPECT_EQ(
      world.answer(opening_with(world, world.device_key.native(), world.device_key.native(), EVP_sha384())).status,
      OSSL_CMP_PKISTATUS_accepted);
}

// The same for the CSR of a p10cr.
TEST_F(CmpHostile, AnotherKeyProvesNothingInAP10crEither) {
  const auto with_csr = [&](const PrivateKey& signer, const EVP_MD* hash) {
    const crypto::RequestHandle csr(X509_REQ_new());
    EXPECT_EQ(X509_REQ_set_pubkey(csr.get(), world.device_key.native()), 1);
    EXPECT_GT(X509_REQ_sign(csr.get(), signer.native(), hash), 0);
    return world.opening(OSSL_CMP_P10CR, kReference, kSecret, [&](CmpClient& client) {
      EXPECT_EQ(OSSL_CMP_CTX_set1_p10CSR(client.native(), csr.get()), 1);
    });
  };
  expect_refused(with_csr(old_key, EVP_sha256()), "crypto.request.proof", CmpFailure::kBadPop);
  expect_refused(with_csr(world.device_key, EVP_sha1()), "crypto.request.weak", CmpFailure::kBadAlg);
  expect_nothing_happened();
}

// The public half of an RSA key, with another exponent.
crypto::PkeyHandle with_exponent(const PrivateKey& key, std::uint64_t exponent) {
  using Builder = crypto::Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
  using Params = crypto::Handle<OSSL_PARAM, OSSL_PARAM_free>;
  BIGNUM* n = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key.native(), OSSL_PKEY_PARAM_RSA_N, &n), 1);
  const crypto::BignumHandle modulus(n);
  const crypto::BignumHandle e(BN_new());
  EXPECT_EQ(BN_set_word(e.get(), exponent), 1);
  const Builder builder(OSSL_PARAM_BLD_new());
  EXPECT_EQ(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()), 1);
  EXPECT_EQ(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()), 1);
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const crypto::PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()), 1);
  return crypto::PkeyHandle(made);
}

// With an exponent of 1 the signature is the padded digest itself.
TEST_F(CmpHostile, KeysThatAnybodyHasAreRefused) {
  const PrivateKey rsa = PrivateKey::generate(KeyKind::kRsa2048);
  for (const std::uint64_t exponent : {1U, 3U})
    expect_refused(opening_with(world, with_exponent(rsa, exponent).get(), rsa.native(), EVP_sha256()),
                   "crypto.request.key", CmpFailure::kBadCertTemplate);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(opening_with(world, with_exponent(rsa, 65537).get(), rsa.native(), EVP_sha256())).status,
            OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, KeysOfOtherKindsAreRefused) {
  const crypto::PkeyHandle small(EVP_RSA_gen(1024));
  expect_refused(opening_with(world, small.get(), small.get(), EVP_sha256()), "crypto.key.kind",
                 CmpFailure::kBadCertTemplate);
  const crypto::PkeyHandle large_curve(EVP_EC_gen("P-521"));
  expect_refused(opening_with(world, large_curve.get(), large_curve.get(), EVP_sha256()), "crypto.key.kind",
                 CmpFailure::kBadCertTemplate);
  expect_nothing_happened();
}

// Edits the one CertReqMsg of an ir; its proof of possession does not fit any more.
Bytes with_request(ByteView der, const std::function<void(crypto::asn1::SignedCertReqMsg&)>& change) {
  return crypto::remade(der, kSecret, [&](PkiMessage& message) {
    OSSL_CRMF_MSGS* requests = message.body->value.requests;
    const auto fields = crypto::asn1::item_from_der<crypto::asn1::SignedCertReqMsg>(
        crypto::to_der_bytes<i2d_OSSL_CRMF_MSG>(sk_OSSL_CRMF_MSG_value(requests, 0)));
    change(*fields);
    const Bytes edited = crypto::asn1::item_to_der(fields.get());
    const std::uint8_t* end = edited.data();
    OSSL_CRMF_MSG_free(sk_OSSL_CRMF_MSG_value(requests, 0));
    sk_OSSL_CRMF_MSG_set(requests, 0, d2i_OSSL_CRMF_MSG(nullptr, &end, static_cast<long>(edited.size())));
  });
}

TEST_F(CmpHostile, NoKeyIsMadeForOthers) {
  expect_refused(with_request(world.opening(),
                              [](auto& request) {
                                X509_PUBKEY_free(request.certReq->certTemplate->publicKey);
                                request.certReq->certTemplate->publicKey = nullptr;
                              }),
                 "crypto.cmp.template", CmpFailure::kBadCertTemplate);
  expect_refused(with_request(world.opening(),
                              [](auto& request) {
                                X509_NAME_free(request.certReq->certTemplate->subject);
                                request.certReq->certTemplate->subject = nullptr;
                              }),
                 "crypto.cmp.template", CmpFailure::kBadCertTemplate);
  expect_nothing_happened();
}

TEST_F(CmpHostile, OneCertificateIsAskedForAtATime) {
  expect_refused(remade(world.opening(),
                        [](PkiMessage& message) {
                          OSSL_CRMF_MSGS* requests = message.body->value.requests;
                          sk_OSSL_CRMF_MSG_push(requests, OSSL_CRMF_MSG_dup(sk_OSSL_CRMF_MSG_value(requests, 0)));
                        }),
                 "crypto.cmp.request", CmpFailure::kBadRequest);
  expect_refused(with_request(world.opening(), [](auto& request) { ASN1_INTEGER_set(request.certReq->certReqId, 1); }),
                 "crypto.cmp.request", CmpFailure::kBadRequest);
  expect_refused(
      remade(world.opening(),
             [](PkiMessage& message) { OSSL_CRMF_MSG_free(sk_OSSL_CRMF_MSG_pop(message.body->value.requests)); }),
      "crypto.cmp.request", CmpFailure::kBadRequest);
  expect_nothing_happened();
}

TEST_F(CmpHostile, WhatASubjectSaysTwiceIsNotGuessed) {
  expect_refused(
      world.opening(
          OSSL_CMP_IR, kReference, kSecret,
          [&](CmpClient& client) {
            const crypto::Handle<X509_NAME, X509_NAME_free> name(X509_NAME_new());
            EXPECT_TRUE(crypto::add_name_entries(name.get(), {{NID_commonName, "a"}, {NID_commonName, "b"}}, "test"));
            EXPECT_EQ(OSSL_CMP_CTX_set1_subjectName(client.native(), name.get()), 1);
          }),
      "crypto.cmp.template", CmpFailure::kBadCertTemplate);
}

TEST_F(CmpHostile, ASecondContentUnderOneTransactionIsRefused) {
  const Bytes first = world.opening();
  EXPECT_EQ(world.answer(first).status, OSSL_CMP_PKISTATUS_accepted);
  const Bytes answer = world.last.der;
  expect_refused(
      remade(first, [](PkiMessage& message) { crypto::set_octets(&message.header->senderNonce, Bytes(16, 7)); }),
      "cmp.transaction_in_use", CmpFailure::kTransactionIdInUse);
  EXPECT_TRUE(crypto::seen(world.last.der).is_protected);
  EXPECT_EQ(world.issuer.issue_calls, 1);
  EXPECT_EQ(world.server->answer(first).der, answer);
}

TEST_F(CmpHostile, AnothersTransactionIdIsRefused) {
  const Bytes first = world.opening();
  EXPECT_EQ(world.answer(first).status, OSSL_CMP_PKISTATUS_accepted);
  const Bytes id = crypto::seen(first).transaction;
  world.issuer.secrets["other"] = {"secret-of-other"};
  const auto other =
      crypto::remade(world.opening(OSSL_CMP_IR, "other", "secret-of-other"), "secret-of-other",
                     [&](PkiMessage& message) { crypto::set_octets(&message.header->transactionID, id); });
  expect_refused(other, "cmp.transaction_in_use", CmpFailure::kTransactionIdInUse);
  EXPECT_FALSE(world.issuer.secrets["other"].spent_by);
}

TEST_F(CmpHostile, AConfirmationAnswersTheLastAnswer) {
  const Bytes right = confirmation();
  for (const Bytes& nonce : {Bytes(16, 7), Bytes()})
    expect_refused(remade(right, [&](PkiMessage& message) { crypto::set_octets(&message.header->recipNonce, nonce); }),
                   "cmp.nonce", CmpFailure::kBadRecipientNonce);
  expect_refused(remade(right,
                        [](PkiMessage& message) {
                          ASN1_OCTET_STRING_free(message.header->recipNonce);
                          message.header->recipNonce = nullptr;
                        }),
                 "cmp.nonce", CmpFailure::kBadRecipientNonce);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_EQ(world.answer(right).body, Body::kPkiConf);
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
}

TEST_F(CmpHostile, AConfirmationIsOfItsTransaction) {
  const Bytes right = confirmation();
  expect_refused(
      crypto::changed(right,
                      [](PkiMessage& message) { crypto::set_octets(&message.header->transactionID, Bytes(16, 7)); }),
      "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  // By somebody else who may speak.
  world.issuer.secrets["other"] = {"secret-of-other"};
  const auto other = crypto::remade(right, "secret-of-other", [](PkiMessage& message) {
    crypto::set_octets(&message.header->senderKID, as_bytes("other"));
  });
  expect_refused(other, "cmp.transaction", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_EQ(world.answer(right).body, Body::kPkiConf);
}

TEST_F(CmpHostile, AConfirmationOfAnotherCertificateConfirmsNothing) {
  const Bytes right = confirmation();
  const auto with_status = [&](const std::function<void(crypto::asn1::CertStatus*)>& change) {
    return remade(right, [&](PkiMessage& message) {
      change(crypto::asn1::sk_CertStatus_value(message.body->value.certConf, 0));
    });
  };
  expect_refused(with_status([](auto* status) { crypto::set_octets(&status->certHash, Bytes(32, 1)); }), "cmp.hash",
                 CmpFailure::kBadCertId);
  expect_refused(with_status([](auto* status) { crypto::set_octets(&status->certHash, Bytes()); }), "cmp.hash",
                 CmpFailure::kBadCertId);
  expect_refused(with_status([](auto* status) { ASN1_INTEGER_set(status->certReqId, 1); }), "crypto.cmp.request",
                 CmpFailure::kBadRequest);
  expect_refused(with_status([](auto* status) { ASN1_INTEGER_set(status->statusInfo->status, 3); }),
                 "crypto.cmp.request", CmpFailure::kBadRequest);
  expect_refused(remade(right,
                        [](PkiMessage& message) {
                          auto* list = message.body->value.certConf;
                          auto second = crypto::asn1::new_item<crypto::asn1::CertStatus>();
                          crypto::asn1::sk_CertStatus_push(list, second.release());
                        }),
                 "crypto.cmp.request", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
  world.pass(world.limits.confirm_within);
  world.server->expire();
  EXPECT_THAT(world.issuer.withdrawn, SizeIs(1));
  expect_refused(right, "cmp.transaction", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
}

TEST_F(CmpHostile, AConfirmationOfNothingIsARejection) {
  const Bytes nothing = remade(confirmation(), [](PkiMessage& message) {
    auto* list = message.body->value.certConf;
    crypto::asn1::ItemHandle<crypto::asn1::CertStatus>(crypto::asn1::sk_CertStatus_pop(list)).reset();
  });
  EXPECT_EQ(world.answer(nothing).body, Body::kPkiConf);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  ASSERT_THAT(world.issuer.withdrawn, SizeIs(1));
  EXPECT_EQ(world.issuer.withdrawn[0].second, Withdrawal::kRejected);
}

TEST_F(CmpHostile, WhatIsConfirmedIsNotTakenBack) {
  const Bytes right = confirmation();
  EXPECT_EQ(world.answer(right).body, Body::kPkiConf);
  const Bytes nonce = crypto::seen(world.last.der).sender_nonce;
  expect_refused(remade(right,
                        [&](PkiMessage& message) {
                          crypto::set_octets(&message.header->recipNonce, nonce);
                          auto* status = crypto::asn1::sk_CertStatus_value(message.body->value.certConf, 0);
                          ASN1_INTEGER_set(status->statusInfo->status, 2);
                        }),
                 "cmp.confirmed", CmpFailure::kCertConfirmed);
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST_F(CmpHostile, WhatWasNotIssuedIsNotConfirmed) {
  world.issuer.on_issue = [](const Order&) { return Result<Decision>(Wait{std::chrono::seconds(20)}); };
  int after = 0;
  CmpClient client(world.transfer());
  client.by_secret(kReference, kSecret);
  client.want("device-1", world.device_key);
  EXPECT_EQ(OSSL_CMP_try_certreq(client.native(), OSSL_CMP_IR, nullptr, &after), -1);
  const auto in_its_place = remade(client.requests().back(), [&](PkiMessage& message) {
    crypto::set_octets(&message.header->recipNonce, crypto::seen(client.answers().back()).sender_nonce);
    crypto::asn1::ItemHandle<crypto::asn1::PkiBody>(message.body).reset();
    message.body = crypto::asn1::new_item<crypto::asn1::PkiBody>().release();
    message.body->type = Body::kCertConf;
    message.body->value.certConf = crypto::asn1::sk_CertStatus_new_null();
  });
  expect_refused(in_its_place, "cmp.transaction", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST_F(CmpHostile, WhoDoesNotWaitDoesNotPoll) {
  const auto in_its_place = remade(confirmation(), [](PkiMessage& message) {
    crypto::asn1::ItemHandle<crypto::asn1::PkiBody>(message.body).reset();
    message.body = crypto::asn1::new_item<crypto::asn1::PkiBody>().release();
    message.body->type = Body::kPollReq;
    message.body->value.pollReq = crypto::asn1::sk_PollRequest_new_null();
    crypto::asn1::sk_PollRequest_push(message.body->value.pollReq,
                                      crypto::asn1::new_item<crypto::asn1::PollRequest>().release());
  });
  expect_refused(in_its_place, "cmp.transaction", CmpFailure::kBadRequest);
}

TEST_F(CmpHostile, APollNamesWhatWasAskedFor) {
  world.issuer.on_issue = [](const Order&) { return Result<Decision>(Wait{std::chrono::seconds(20)}); };
  int after = 0;
  CmpClient client(world.transfer());
  client.by_secret(kReference, kSecret);
  client.want("device-1", world.device_key);
  EXPECT_EQ(OSSL_CMP_try_certreq(client.native(), OSSL_CMP_IR, nullptr, &after), -1);
  const Bytes nonce = crypto::seen(client.answers().back()).sender_nonce;
  for (const int id : {1, -1})
    expect_refused(remade(client.requests().back(),
                          [&](PkiMessage& message) {
                            crypto::set_octets(&message.header->recipNonce, nonce);
                            auto* poll = crypto::asn1::sk_PollRequest_value(message.body->value.pollReq, 0);
                            ASN1_INTEGER_set(poll->certReqId, id);
                          }),
                   "crypto.cmp.request", CmpFailure::kBadRequest);
}

TEST_F(CmpHostile, TimesFarFromOursAreRefused) {
  const auto at = [&](std::chrono::seconds off) {
    return remade(world.opening(), [&](PkiMessage& message) {
      const auto time = std::chrono::floor<std::chrono::seconds>(world.clock.now() + off);
      ASN1_GENERALIZEDTIME_set(message.header->messageTime, time.time_since_epoch().count());
    });
  };
  for (const std::chrono::seconds off : {std::chrono::seconds(302), std::chrono::seconds(-302)})
    expect_refused(at(off), "cmp.time", CmpFailure::kBadTime);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(at(std::chrono::seconds(-298))).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, WhoHasNoClockSaysNoTime) {
  const auto without = remade(world.opening(), [](PkiMessage& message) {
    ASN1_GENERALIZEDTIME_free(message.header->messageTime);
    message.header->messageTime = nullptr;
  });
  EXPECT_EQ(world.answer(without).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, VersionsAreTwoAndThree) {
  const auto with_version = [&](int version) {
    return remade(world.opening(), [&](PkiMessage& message) { ASN1_INTEGER_set(message.header->pvno, version); });
  };
  for (const int version : {1, 4})
    expect_refused(with_version(version), "cmp.version", CmpFailure::kUnsupportedVersion);
  for (const int version : {-1, 0, 100})
    expect_refused(with_version(version), "crypto.cmp.form", CmpFailure::kBadDataFormat);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(with_version(3)).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, AHeaderHasWhatItNeeds) {
  const std::vector<std::function<void(crypto::asn1::PkiHeader&)>> changes = {
      [](auto& header) { crypto::set_octets(&header.transactionID, Bytes(15, 1)); },
      [](auto& header) { crypto::set_octets(&header.transactionID, Bytes(33, 1)); },
      [](auto& header) { crypto::set_octets(&header.senderNonce, Bytes(15, 1)); },
      [](auto& header) {
        ASN1_OCTET_STRING_free(header.transactionID);
        header.transactionID = nullptr;
      },
      [](auto& header) {
        GENERAL_NAME_free(header.sender);
        header.sender = a2i_GENERAL_NAME(nullptr, nullptr, nullptr, GEN_DNS, "d.example.org", 0);
      }};
  for (const auto& change : changes)
    expect_refused(remade(world.opening(), [&](PkiMessage& message) { change(*message.header); }), "crypto.cmp.form",
                   CmpFailure::kBadDataFormat);
  expect_nothing_happened();
}

TEST_F(CmpHostile, ManyCertificatesAreNotRead) {
  const auto extra = world.issuer.made("extra", old_key);
  expect_refused(crypto::changed(world.opening(),
                                 [&](PkiMessage& message) {
                                   message.extraCerts = sk_X509_new_null();
                                   for (std::size_t i = 0; i <= crypto::CmpMessage::kMaxCertificates; ++i) {
                                     X509_up_ref(extra.native());
                                     sk_X509_push(message.extraCerts, extra.native());
                                   }
                                 }),
                 "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

TEST_F(CmpHostile, AnswersAreNoRequests) {
  const Bytes answer = world.server->answer(world.opening()).der;
  expect_refused(answer, "crypto.cmp.body", CmpFailure::kBadRequest);
  expect_refused(world.server->answer(as_bytes("x")).der, "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

TEST_F(CmpHostile, TheCertificateThatIsRenewedSigns) {
  const auto own = world.issuer.made("device-1", old_key);
  const auto other = world.issuer.made("device-2", PrivateKey::generate(KeyKind::kEcP256));
  expect_refused(signed_opening(OSSL_CMP_KUR, own, old_key,
                                [&](CmpClient& client) {
                                  EXPECT_EQ(OSSL_CMP_CTX_set1_oldCert(client.native(), other.native()), 1);
                                }),
                 "cmp.renewal", CmpFailure::kBadCertId);
  expect_refused(
      world.opening(OSSL_CMP_KUR, kReference, kSecret,
                    [&](CmpClient& client) { EXPECT_EQ(OSSL_CMP_CTX_set1_oldCert(client.native(), own.native()), 1); }),
      "cmp.renewal_by_secret", CmpFailure::kWrongIntegrity);
  expect_nothing_happened();
}

TEST_F(CmpHostile, ARevocationNamesOneCertificateAndAReason) {
  const auto own = world.issuer.made("device-1", old_key);
  const auto rr = signed_opening(kRevoke, own, old_key, [&](CmpClient& client) {
    EXPECT_EQ(OSSL_CMP_CTX_set1_oldCert(client.native(), own.native()), 1);
    client.option(OSSL_CMP_OPT_REVOCATION_REASON, 1);
  });
  const auto with_details = [&](const std::function<void(crypto::asn1::RevDetails*)>& change) {
    return resigned(rr, old_key,
                    [&](PkiMessage& message) { change(crypto::asn1::sk_RevDetails_value(message.body->value.rr, 0)); });
  };
  expect_refused(with_details([](auto* details) {
                   ASN1_INTEGER_free(details->certDetails->serialNumber);
                   details->certDetails->serialNumber = nullptr;
                 }),
                 "crypto.cmp.template", CmpFailure::kBadCertTemplate);
  expect_refused(with_details([](auto* details) { ASN1_INTEGER_set(details->certDetails->serialNumber, -5); }),
                 "crypto.cmp.template", CmpFailure::kBadCertTemplate);
  expect_refused(with_details([](auto* details) {
                   sk_X509_EXTENSION_push(details->crlEntryDetails,
                                          X509_EXTENSION_dup(sk_X509_EXTENSION_value(details->crlEntryDetails, 0)));
                 }),
                 "crypto.cmp.template", CmpFailure::kBadCertTemplate);
  expect_refused(with_details([](auto* details) {
                   const Bytes seven = {0x0a, 0x01, 0x07};
                   ASN1_OCTET_STRING* value =
                       X509_EXTENSION_get_data(sk_X509_EXTENSION_value(details->crlEntryDetails, 0));
                   ASN1_OCTET_STRING_set(value, seven.data(), 3);
                 }),
                 "crypto.cmp.template", CmpFailure::kBadCertTemplate);
  expect_refused(resigned(rr, old_key,
                          [](PkiMessage& message) {
                            auto* list = message.body->value.rr;
                            crypto::asn1::sk_RevDetails_push(
                                list, crypto::asn1::new_item<crypto::asn1::RevDetails>().release());
                          }),
                 "crypto.cmp.request", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.revoked, IsEmpty());
  EXPECT_EQ(world.answer(rr).status, OSSL_CMP_PKISTATUS_accepted);
  EXPECT_THAT(world.issuer.revoked, SizeIs(1));
}

TEST_F(CmpHostile, QuestionsAreFewAndOfNoTransaction) {
  const auto asked = [&](int count) {
    CmpClient client([](Bytes) { return Bytes(); });
    client.by_secret(kReference, kSecret);
    for (int i = 0; i < count; ++i)
      OSSL_CMP_CTX_push0_genm_ITAV(client.native(), OSSL_CMP_ITAV_create(OBJ_txt2obj("1.2.3", 1), nullptr));
    EXPECT_EQ(OSSL_CMP_exec_GENM_ses(client.native()), nullptr);
    ERR_clear_error();
    return client.requests().at(0);
  };
  expect_refused(asked(17), "crypto.cmp.request", CmpFailure::kBadRequest);
  EXPECT_EQ(world.answer(asked(16)).body, Body::kGenp);
  const Bytes first = world.opening();
  const Bytes question = asked(1);
  EXPECT_EQ(world.answer(first).status, OSSL_CMP_PKISTATUS_accepted);
  expect_refused(remade(question,
                        [&](PkiMessage& message) {
                          crypto::set_octets(&message.header->transactionID, crypto::seen(first).transaction);
                        }),
                 "cmp.transaction_in_use", CmpFailure::kTransactionIdInUse);
}

}  // namespace
}  // namespace warifu::cmp
