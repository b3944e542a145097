// Pitfalls Q1 to Q12 of docs/protocols/quotes.md: each accepting case has its refused twin.
#include "attestation/quote/quote.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <random>

#include "attestation/quote/progress.h"
#include "attestation/quote/test_quote.h"
#include "crypto/test_roca_key.h"
#include "tpm_types/verification_key.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using crypto::KeyKind;

const SoftwareAk& ak_of(KeyKind kind) {
  static const SoftwareAk rsa = SoftwareAk::of(KeyKind::kRsa2048);
  static const SoftwareAk p256 = SoftwareAk::of(KeyKind::kEcP256);
  static const SoftwareAk p384 = SoftwareAk::of(KeyKind::kEcP384);
  return kind == KeyKind::kRsa2048 ? rsa : kind == KeyKind::kEcP256 ? p256 : p384;
}
constexpr std::array kKinds = {KeyKind::kRsa2048, KeyKind::kEcP256, KeyKind::kEcP384};

template <class T>
void expect_code(const Result<T>& result, std::string_view code, ErrorKind kind = ErrorKind::kRefused) {
  ASSERT_FALSE(result) << "expected " << code;
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
  EXPECT_EQ(result.error().kind, kind) << to_string(result.error());
}

QuoteFields fields(HashAlgorithm hash = HashAlgorithm::kSha256) {
  return fields_of(some_values({HashAlgorithm::kSha256}), {selected(HashAlgorithm::kSha256, {0, 1, 7, 10})}, hash);
}

Result<VerifiedQuote> judge(const SoftwareAk& key, const Bytes& message) {
  return verify({message, key.sign(message)}, key.ak(), ExpectedNonce{QuoteFields().nonce});
}

TEST(Quote, Q1_NothingButAQuoteIsTakenAsAQuote) {
  const SoftwareAk& key = ak_of(KeyKind::kEcP256);
  ASSERT_TRUE(judge(key, attest_of(fields())));
  for (const int type : {0x8014, 0x8015, 0x8016, 0x8017, 0x8019, 0x801a, 0x801c, 0x8118}) {
    QuoteFields other = fields();
    other.type = static_cast<std::uint16_t>(type);
    expect_code(judge(key, attest_of(other)), "tpm.attest.type", ErrorKind::kInvalidInput);
  }
  QuoteFields magic = fields();
  magic.magic = 0xff544346;
  expect_code(judge(key, attest_of(magic)), "tpm.attest.magic", ErrorKind::kInvalidInput);
  Bytes trailing = attest_of(fields());
  trailing.push_back(0);
  expect_code(judge(key, trailing), "wire.trailing", ErrorKind::kInvalidInput);
  Bytes cut = attest_of(fields());
  cut.pop_back();
  expect_code(judge(key, cut), "wire.truncated", ErrorKind::kInvalidInput);
}

TEST(Quote, Q2_AnAkIsARestrictedSigningKeyOfItsTpm) {
  for (const KeyKind kind : kKinds) {
    ASSERT_TRUE(AkPublic::from_tpm_public(ak_of(kind).tpmt()));
    for (const std::uint32_t cleared :
         {tpm::kRestricted, tpm::kSign, tpm::kFixedTpm, tpm::kFixedParent, tpm::kSensitiveDataOrigin})
      expect_code(AkPublic::from_tpm_public(ak_of(kind).tpmt(kAkAttributes & ~cleared)), "ak.attributes");
    expect_code(AkPublic::from_tpm_public(ak_of(kind).tpmt(kAkAttributes | tpm::kDecrypt)), "ak.attributes");
    expect_code(AkPublic::from_tpm_public(ak_of(kind).tpmt(kAkAttributes, 0x0010, 0)), "ak.scheme");
  }
}

// TPMT_PUBLIC of an AK with this RSA key.
Bytes rsa_tpmt(std::string_view pem) {
  const auto key = tpm::VerificationKey::of(crypto::PublicKey::from_pem(pem).value()).value();
  const auto area = tpm::PublicArea::from_tpm2b(key.tpm2b()).value();
  wire::Writer out;
  out.u16(0x0001).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0010).u16(0x0014).u16(0x000B);
  return out.u16(2048).u32(0).sized16(area.unique()).take();
}

TEST(Quote, Q7_AnAkWhosePrivateKeyCanBeComputedIsNone) {
  const std::string sound = ak_of(KeyKind::kRsa2048).key.public_key().to_pem();
  EXPECT_TRUE(AkPublic::from_tpm_public(rsa_tpmt(sound)));
  EXPECT_TRUE(AkPublic::from_pem(sound));
  expect_code(AkPublic::from_tpm_public(rsa_tpmt(crypto::kRocaKeyPem)), "ak.roca");
  expect_code(AkPublic::from_pem(crypto::kRocaKeyPem), "ak.roca");
}

TEST(Quote, Q3_TheNonceIsEveryByteOfIt) {
  const SoftwareAk& key = ak_of(KeyKind::kRsa2048);
  const Bytes message = attest_of(fields());
  const Bytes signature = key.sign(message);
  const auto with = [&](Bytes nonce) {
    return verify({message, signature}, key.ak(), ExpectedNonce{std::move(nonce)});
  };
  const Bytes nonce = QuoteFields().nonce;
  const auto right = with(nonce);
  ASSERT_TRUE(right);
  EXPECT_EQ(right->answered_nonce(), nonce);
  Bytes longer = nonce;
  longer.push_back(0);
  Bytes flipped = nonce;
  flipped.back() ^= 1;
  const Bytes text = to_bytes(as_bytes(to_hex(nonce)));
  for (const Bytes& wrong : {Bytes(nonce.begin(), nonce.end() - 1), longer, flipped, text, Bytes()})
    expect_code(with(wrong), "quote.nonce");
  // Not looked at, and that is to be seen.
  const auto any = verify({message, signature}, key.ak(), AnyNonce{});
  ASSERT_TRUE(any);
  EXPECT_FALSE(any->answered_nonce());
}

Result<VerifiedQuote> quote_of(const measured_boot::RegisterValues& values, const tpm::PcrSelections& selections,
                               const SoftwareAk& key) {
  return judge(key, attest_of(fields_of(values, selections, key.hash)));
}

TEST(Quote, Q4_OnlyQuotedRegistersAreProved) {
  const auto values = some_values({HashAlgorithm::kSha1, HashAlgorithm::kSha256});
  const auto quote = quote_of(values, {selected(HashAlgorithm::kSha256, {0, 7})}, ak_of(KeyKind::kEcP256)).value();
  const auto proved = prove_registers(quote, values);
  ASSERT_TRUE(proved);
  EXPECT_EQ(*proved->find(HashAlgorithm::kSha256, 7), *values.find(HashAlgorithm::kSha256, 7));
  EXPECT_EQ(proved->find(HashAlgorithm::kSha256, 8), nullptr);
  EXPECT_EQ(proved->find(HashAlgorithm::kSha1, 7), nullptr);
  EXPECT_EQ(proved->unquoted().size(), 22u + 24u);

  auto lie = values;
  lie.bank(HashAlgorithm::kSha256).set(7, *values.find(HashAlgorithm::kSha256, 8));
  expect_code(prove_registers(quote, lie), "quote.pcr-digest");
  measured_boot::RegisterValues missing;
  missing.bank(HashAlgorithm::kSha256).set(0, *values.find(HashAlgorithm::kSha256, 0));
  expect_code(prove_registers(quote, missing), "quote.register-missing");
}

TEST(Quote, Q5_PcrDigestIsOfTheSignaturesHashWhateverTheBankIs) {
  for (const KeyKind kind : kKinds) {
    const SoftwareAk& key = ak_of(kind);
    for (const auto bank : {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                            HashAlgorithm::kSha512, HashAlgorithm::kSm3}) {
      const auto values = some_values({bank});
      const auto quote = quote_of(values, {selected(bank, {0, 23})}, key);
      ASSERT_TRUE(quote);
      EXPECT_TRUE(prove_registers(*quote, values));
    }
    // Of the bank instead, although it has the right length or not.
    const auto bank = key.hash == HashAlgorithm::kSha384 ? HashAlgorithm::kSha256 : HashAlgorithm::kSha384;
    const auto values = some_values({bank});
    expect_code(judge(key, attest_of(fields_of(values, {selected(bank, {0})}, bank))), "quote.pcr-digest-size");
  }
}

TEST(Quote, Q6_BanksInTheOrderOfTheQuoteAndIndicesRising) {
  const auto values = some_values({HashAlgorithm::kSha256, HashAlgorithm::kSha1});
  const auto sha1 = selected(HashAlgorithm::kSha1, {16, 0, 9});
  const auto sha256 = selected(HashAlgorithm::kSha256, {3, 2});
  const SoftwareAk& key = ak_of(KeyKind::kEcP256);
  for (const tpm::PcrSelections& order : {tpm::PcrSelections{sha1, sha256}, tpm::PcrSelections{sha256, sha1}}) {
    const auto quote = quote_of(values, order, key).value();
    const auto proved = prove_registers(quote, values);
    ASSERT_TRUE(proved);
    EXPECT_NE(proved->find(HashAlgorithm::kSha1, 16), nullptr);
    EXPECT_NE(proved->find(HashAlgorithm::kSha256, 3), nullptr);
    // The digest of the other order.
    QuoteFields swapped = fields_of(values, {order[1], order[0]}, key.hash);
    swapped.selections = order;
    expect_code(prove_registers(judge(key, attest_of(swapped)).value(), values), "quote.pcr-digest");
  }
}

TEST(Quote, Q6_ABankThatNobodyKnowsIsNotPassedOver) {
  const auto values = some_values({HashAlgorithm::kSha256});
  const SoftwareAk& key = ak_of(KeyKind::kEcP256);
  QuoteFields with = fields_of(values, {selected(HashAlgorithm::kSha256, {0})}, key.hash);
  with.selections.push_back({.bank_id = 0x0027, .bank = {}, .indices = 0});
  EXPECT_TRUE(prove_registers(judge(key, attest_of(with)).value(), values)) << "nothing of it is selected";
  with.selections.back().indices = 1;
  expect_code(prove_registers(judge(key, attest_of(with)).value(), values), "quote.bank-unknown");
}

TEST(Quote, Q7_SchemeAndHashAreThoseOfTheAk) {
  const Bytes message = attest_of(fields());
  const SoftwareAk& rsa = ak_of(KeyKind::kRsa2048);
  const SoftwareAk& p256 = ak_of(KeyKind::kEcP256);
  const auto any = [&](const SoftwareAk& key, Bytes signature) {
    return verify({message, signature}, key.ak(), AnyNonce{});
  };
  ASSERT_TRUE(any(rsa, rsa.sign(message)));
  expect_code(any(rsa, rsa.sign(message, 0x0016, 0x000B)), "quote.scheme");
  expect_code(any(rsa, rsa.sign(message, 0x0014, 0x000C)), "quote.scheme");
  expect_code(any(rsa, p256.sign(message)), "quote.scheme");
  expect_code(any(p256, p256.sign(message, 0x0018, 0x000D)), "quote.scheme");
  expect_code(any(rsa, rsa.sign(message, 0x0014, 0x0004)), "quote.sha1");
  expect_code(any(rsa, rsa.sign(message, 0x0005, 0x000B)), "quote.signature-size", ErrorKind::kInvalidInput);
  expect_code(any(p256, p256.sign(message, 0x001A, 0x000B)), "tpm.signature.der", ErrorKind::kInvalidInput);
  // The same key with another scheme in its public area.
  const auto pss = AkPublic::from_tpm_public(rsa.tpmt(kAkAttributes, 0x0016, 0x000B)).value();
  expect_code(verify({message, rsa.sign(message)}, pss, AnyNonce{}), "quote.scheme");
  expect_code(verify({message, rsa.key.sign(message)}, pss, AnyNonce{}), "crypto.signature");
}

Bytes sign_sha1(const SoftwareAk& key, ByteView message) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha1(), nullptr, key.key.native()), 1);
  Bytes signature(256);
  std::size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()), 1);
  return wire::Writer().u16(0x0014).u16(0x0004).sized16(signature).take();
}

TEST(Quote, Q7_Sha1SignaturesOnlyForThoseWhoAskForThem) {
  const SoftwareAk& key = ak_of(KeyKind::kRsa2048);
  const Bytes message = attest_of(fields(HashAlgorithm::kSha1));
  const Bytes signature = sign_sha1(key, message);
  const Bytes area = key.tpmt(kAkAttributes, 0x0014, 0x0004);
  expect_code(AkPublic::from_tpm_public(area), "ak.sha1");
  expect_code(AkPublic::from_tpm_public(key.tpmt(kAkAttributes, 0x0014, 0x000B, 0x0004)), "ak.sha1");
  const auto ak = AkPublic::from_tpm_public(area, Sha1Use::kAllowed).value();
  EXPECT_TRUE(verify({message, signature}, ak, AnyNonce{}, Sha1Use::kAllowed));
  expect_code(verify({message, signature}, ak, AnyNonce{}), "quote.sha1");
  const auto pem = AkPublic::from_pem(key.key.public_key().to_pem()).value();
  EXPECT_TRUE(verify({message, signature}, pem, AnyNonce{}, Sha1Use::kAllowed));
  expect_code(verify({message, signature}, pem, AnyNonce{}), "quote.sha1");
  expect_code(verify({message, ByteView(signature).subspan(6)}, pem, AnyNonce{}), "quote.sha1");
}

TEST(Quote, Q7_AnRsaKeyHasTwoThousandBits) {
  wire::Writer small;
  small.u16(0x0001).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0010).u16(0x0014).u16(0x000B).u16(1024).u32(0);
  expect_code(AkPublic::from_tpm_public(small.sized16(Bytes(128, 0xC5)).take()), "ak.key");
  wire::Writer lie;
  lie.u16(0x0001).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0010).u16(0x0014).u16(0x000B).u16(2048).u32(0);
  expect_code(AkPublic::from_tpm_public(lie.sized16(Bytes(128, 0xC5)).take()), "ak.key");
  wire::Writer hmac;
  hmac.u16(0x0008).u16(0x000B).u32(kAkAttributes).sized16({}).u16(0x0005).u16(0x000B).sized16(Bytes(32));
  expect_code(AkPublic::from_tpm_public(hmac.take()), "ak.kind");
}

TEST(Quote, Q7_EcdsaNumbersAreInRange) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384}) {
    const SoftwareAk& key = ak_of(kind);
    const Bytes message = attest_of(fields(key.hash));
    const Bytes der = key.key.sign(message);
    const auto right = tpm::parse_ecdsa_der(der).value();
    const std::size_t size = kind == KeyKind::kEcP256 ? 32 : 48;
    const auto with = [&](ByteView r, ByteView s) {
      const Bytes signature = wire::Writer()
                                  .u16(0x0018)
                                  .u16(static_cast<std::uint16_t>(tpm::algorithm_of(key.hash)))
                                  .sized16(r)
                                  .sized16(s)
                                  .take();
      return verify({message, signature}, key.ak(), AnyNonce{});
    };
    ASSERT_TRUE(with(right.r, right.s));
    EXPECT_TRUE(verify({message, der}, key.ak(), AnyNonce{})) << "DER";
    for (const Bytes& wrong : {Bytes(), Bytes(size), Bytes(size, 0xff), Bytes(size + 1)}) {
      expect_code(with(wrong, right.s), "crypto.signature");
      expect_code(with(right.r, wrong), "crypto.signature");
    }
  }
}

TEST(Quote, Q8_APolicyDoesNotSkipWhatIsNotQuoted) {
  const auto values = some_values({HashAlgorithm::kSha256});
  const auto quote = quote_of(values, {selected(HashAlgorithm::kSha256, {16})}, ak_of(KeyKind::kEcP256)).value();
  const auto proved = prove_registers(quote, values).value();
  const std::array quoted = {RegisterPlace{HashAlgorithm::kSha256, 16}};
  EXPECT_TRUE(proved.require(quoted));
  const std::array wanted = {RegisterPlace{HashAlgorithm::kSha256, 16}, RegisterPlace{HashAlgorithm::kSha256, 7},
                             RegisterPlace{HashAlgorithm::kSha384, 16}};
  const Status status = proved.require(wanted);
  expect_code(status, "quote.register-unquoted");
  EXPECT_EQ(status.error().message, "the quote does not select sha256:7, sha384:16");
}

QuoteState state(std::uint64_t clock, std::uint32_t resets, std::uint32_t restarts, bool safe = true,
                 std::uint64_t firmware = 1) {
  return {{.clock_ms = clock, .reset_count = resets, .restart_count = restarts, .safe = safe}, firmware};
}

TEST(Quote, Q9_CountersAndClockOnlyRise) {
  struct Row {
    QuoteState earlier;
    QuoteState now;
    BootRelation relation;
    std::vector<Anomaly> anomalies;
  };
  for (const Row& row : {
           Row{state(5, 1, 2), state(6, 1, 2), BootRelation::kSameBoot, {}},
           Row{state(5, 1, 2), state(5, 1, 2), BootRelation::kSameBoot, {}},
           Row{state(5, 1, 2), state(6, 1, 3), BootRelation::kResumed, {}},
           Row{state(5, 1, 2), state(6, 2, 0), BootRelation::kNewBoot, {}},
           // Hidden behind a constant: they wrap around.
           Row{state(5, 0xFFFFFFFF, 2), state(6, 0, 2), BootRelation::kNewBoot, {}},
           Row{state(5, 1, 0xFFFFFFFF), state(6, 1, 0), BootRelation::kResumed, {}},
           Row{state(5, 1, 2), state(4, 1, 2), BootRelation::kUnknown, {Anomaly::kClockFell}},
           Row{state(5, 1, 2), state(4, 2, 0, false), BootRelation::kNewBoot, {Anomaly::kClockMayHaveFallen}},
           Row{state(5, 1, 2), state(6, 0, 2), BootRelation::kUnknown, {Anomaly::kResetCountFell}},
           Row{state(5, 1, 2), state(6, 1, 1), BootRelation::kUnknown, {Anomaly::kRestartCountFell}},
           Row{state(5, 1, 2),
               state(4, 0, 2, false),
               BootRelation::kUnknown,
               {Anomaly::kResetCountFell, Anomaly::kClockMayHaveFallen}},
       }) {
    const Progress progress = compare(row.earlier, row.now);
    EXPECT_EQ(progress.relation, row.relation) << to_string(progress.relation);
    EXPECT_EQ(progress.anomalies, row.anomalies);
  }
}

TEST(Quote, Q10_AnotherFirmwareIsTold) {
  EXPECT_TRUE(compare(state(5, 1, 2), state(6, 1, 2)).anomalies.empty());
  const Progress progress = compare(state(5, 1, 2), state(6, 2, 0, true, 2));
  EXPECT_EQ(progress.anomalies, std::vector{Anomaly::kFirmwareChanged});
  EXPECT_EQ(progress.relation, BootRelation::kNewBoot);
}

TEST(Quote, Q11_TheSignerIsTheAkBelowItsParent) {
  const SoftwareAk& key = ak_of(KeyKind::kEcP256);
  const Bytes parent = {0x40, 0x00, 0x00, 0x0b};
  QuoteFields of = fields();
  of.signer = qualified_name(parent, key.ak().identity()->name);
  const auto quote = judge(key, attest_of(of)).value();
  EXPECT_TRUE(expect_parent(quote, parent));
  expect_code(expect_parent(quote, Bytes{0x40, 0x00, 0x00, 0x01}), "quote.signer");
  expect_code(expect_parent(judge(key, attest_of(fields())).value(), parent), "quote.signer");
  const Bytes message = attest_of(of);
  const auto pem = AkPublic::from_pem(key.key.public_key().to_pem()).value();
  expect_code(expect_parent(verify({message, key.sign(message)}, pem, AnyNonce{}).value(), parent), "quote.ak-name");
}

TEST(Quote, Q12_EachByteOfMessageAndSignatureCounts) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const KeyKind kind : kKinds) {
    const SoftwareAk& key = ak_of(kind);
    const AkPublic ak = key.ak();
    Bytes message = attest_of(fields(key.hash));
    Bytes signature = key.sign(message);
    const auto accepts = [&] { return verify({message, signature}, ak, AnyNonce{}).has_value(); };
    ASSERT_TRUE(accepts());
    for (Bytes* part : {&message, &signature}) {
      for (std::uint8_t& byte : *part) {
        const auto bit = static_cast<std::uint8_t>(1u << random() % 8);
        byte ^= bit;
        EXPECT_FALSE(accepts()) << "byte " << &byte - part->data();
        byte ^= bit;
      }
      part->push_back(0);
      EXPECT_FALSE(accepts());
      part->pop_back();
      const std::uint8_t last = part->back();
      part->pop_back();
      EXPECT_FALSE(accepts());
      part->push_back(last);
    }
    EXPECT_TRUE(accepts());
  }
}

TEST(Quote, Q12_APlainRsaSignatureIsAsLongAsTheModulus) {
  const SoftwareAk& key = ak_of(KeyKind::kRsa2048);
  const Bytes message = attest_of(fields());
  Bytes plain = key.key.sign(message);
  const auto pem = AkPublic::from_pem(key.key.public_key().to_pem()).value();
  for (const AkPublic& ak : {key.ak(), pem})
    EXPECT_TRUE(verify({message, plain}, ak, AnyNonce{}));
  plain.insert(plain.begin(), 0);
  for (const AkPublic& ak : {key.ak(), pem})
    EXPECT_FALSE(verify({message, plain}, ak, AnyNonce{}));
}

}  // namespace
}  // namespace warifu::attestation
