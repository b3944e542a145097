#include <openssl/rsa.h>

#include "cmp/hostile_world_test.h"

// What is asked for, and the proof of its key (RFC 4210, 5.2.8; RFC 4211, 4).
namespace warifu::cmp {
namespace {

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

TEST_F(CmpHostile, NamesAreFew) {
  const auto asking_for = [&](std::size_t count) {
    return world.opening(OSSL_CMP_IR, kReference, kSecret, [&](CmpClient& client) {
      const crypto::GeneralNameHandle name(a2i_GENERAL_NAME(nullptr, nullptr, nullptr, GEN_DNS, "a", 0));
      for (std::size_t i = 0; i < count; ++i)
        EXPECT_EQ(OSSL_CMP_CTX_push1_subjectAltName(client.native(), name.get()), 1);
    });
  };
  expect_refused(asking_for(crypto::kMaxRequestedNames + 1), "crypto.cmp.template", CmpFailure::kBadCertTemplate);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(asking_for(crypto::kMaxRequestedNames)).status, OSSL_CMP_PKISTATUS_accepted);
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
