// Pitfalls of docs/protocols/quotes.md: each accepting case has its refused twin.
#include "attestation/quote/quote.h"

#include "attestation/quote/test_judge.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using crypto::KeyKind;

Result<VerifiedQuote> quote_of(const measured_boot::RegisterValues& values, const tpm::PcrSelections& selections,
                               const SoftwareAk& key) {
  return judge(key, attest_of(fields_of(values, selections, key.hash)));
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

}  // namespace
}  // namespace warifu::attestation
