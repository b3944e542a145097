// Every quote under eventlogs/quotes of the test data against what its .expected.json says, and each with refused
// twins: by us, and by tpm2_checkquote (tpm2-tools), whose verdicts must be the same.
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "attestation/quote/quote.h"
#include "base/temp_dir.h"
#include "measured_boot/registers_json.h"
#include "sim/test_data.h"
#include "sim/test_seed.h"
#include "wire/json.h"

namespace warifu::attestation {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// One quote and what else came with it.
struct Item {
  std::string id;
  Bytes message;
  Bytes signature;
  std::string pem;
  std::optional<Bytes> tpmt_public;
  json::object expected;
  std::optional<measured_boot::RegisterValues> values;

  Bytes nonce() const { return from_hex(text_of(expected.at("attest").at("extraData"))).value(); }
  static std::string text_of(const json::value& value) { return std::string(value.as_string()); }
};

const std::set<std::string> kParts = {"attest.bin", "sig.bin", "ak.pem", "ak.tpmt_public.bin", "expected.json"};

Item read_item(const fs::path& folder, const std::string& id, const std::set<std::string>& parts) {
  const auto bytes = [&](const std::string& part) { return sim::read_test_file(folder / (id + "." + part)); };
  Item item{.id = id,
            .message = bytes("attest.bin"),
            .signature = bytes("sig.bin"),
            .pem = std::string(as_text(bytes("ak.pem"))),
            .tpmt_public = {},
            .expected = wire::parse_json(as_text(bytes("expected.json"))).value().as_object(),
            .values = {}};
  if (parts.contains("ak.tpmt_public.bin")) item.tpmt_public = bytes("ak.tpmt_public.bin");
  const auto& pcrs = item.expected.at("pcrs");
  if (!pcrs.is_null()) item.values = measured_boot::parse_register_values(as_text(bytes("expected.json"))).value();
  return item;
}

// Fails on a file that belongs to no item and on an item that is not whole.
std::vector<Item> read_all(const fs::path& folder) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const auto part = std::ranges::find_if(kParts, [&](const std::string& p) { return name.ends_with("." + p); });
    if (part == kParts.end()) {
      ADD_FAILURE() << "unknown file: " << name;
      continue;
    }
    found[name.substr(0, name.size() - part->size() - 1)].insert(*part);
  }
  std::vector<Item> items;
  for (const auto& [id, parts] : found) {
    if (parts.size() + (parts.contains("ak.tpmt_public.bin") ? 0 : 1) != kParts.size())
      ADD_FAILURE() << id << ": a part is missing";
    else
      items.push_back(read_item(folder, id, parts));
  }
  return items;
}

class RealQuotes : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = sim::test_data();
    if (!data) GTEST_SKIP() << "no test data: set WARIFU_TEST_DATA";
    items_ = read_all(*data / "eventlogs" / "quotes");
    ASSERT_FALSE(items_.empty());
  }
  std::vector<Item> items_;
};

std::string_view scheme_name(tpm::AlgorithmId id) {
  return id == tpm::AlgorithmId::kRsaSsa ? "rsassa" : id == tpm::AlgorithmId::kRsaPss ? "rsapss" : "ecdsa";
}

json::object attest_to_json(const tpm::QuoteAttest& attest) {
  json::array selections;
  for (const auto& selection : attest.selections) {
    json::array indices;
    for (std::uint32_t index = 0; index < 32; ++index)
      if (selection.has(index)) indices.push_back(index);
    selections.push_back(json::array{measured_boot::bank_name(selection.bank.value()), std::move(indices)});
  }
  char firmware[17];
  std::snprintf(firmware, sizeof firmware, "%016llx", static_cast<unsigned long long>(attest.firmware_version));
  return {{"magic", "ff544347"},
          {"type", "0x8018"},
          {"qualifiedSigner", to_hex(attest.qualified_signer)},
          {"extraData", to_hex(attest.extra_data)},
          {"clock", attest.clock.clock_ms},
          {"resetCount", attest.clock.reset_count},
          {"restartCount", attest.clock.restart_count},
          {"safe", attest.clock.safe ? 1 : 0},
          {"firmwareVersion", firmware},
          {"pcrSelect", std::move(selections)},
          {"pcrDigest", to_hex(attest.pcr_digest)}};
}

// Numbers are equal whatever kind of integer boost::json keeps them in.
void expect_same(const json::object& ours, const json::object& wanted) {
  EXPECT_EQ(ours.size(), wanted.size());
  for (const auto& [key, value] : wanted) {
    ASSERT_TRUE(ours.contains(key)) << std::string_view(key);
    EXPECT_EQ(json::serialize(ours.at(key)), json::serialize(value)) << std::string_view(key);
  }
}

void expect_as_expected(const Item& item, const AkPublic& ak) {
  ASSERT_TRUE(item.expected.at("signature_valid").as_bool());
  const auto quote = verify({item.message, item.signature}, ak, ExpectedNonce{item.nonce()});
  ASSERT_TRUE(quote) << to_string(quote.error());
  expect_same(attest_to_json(quote->attest()), item.expected.at("attest").as_object());
  const auto& signature = item.expected.at("signature");
  EXPECT_EQ(scheme_name(quote->scheme().id), Item::text_of(signature.at("scheme")));
  EXPECT_EQ(measured_boot::bank_name(quote->hash()), Item::text_of(signature.at("hash")));
  if (!item.values) return;
  const auto proved = prove_registers(*quote, *item.values);
  ASSERT_TRUE(proved) << to_string(proved.error());
  EXPECT_EQ(Item::text_of(item.expected.at("pcr_digest_matches_with")), measured_boot::bank_name(quote->hash()));
  for (const auto& selection : quote->attest().selections)
    for (std::uint32_t index = 0; index < 24; ++index)
      EXPECT_EQ(proved->find(*selection.bank, index) != nullptr, selection.has(index)) << index;
}

TEST_F(RealQuotes, SayWhatIsExpectedOfThem) {
  for (const Item& item : items_) {
    SCOPED_TRACE(item.id);
    const auto pem = AkPublic::from_pem(item.pem);
    ASSERT_TRUE(pem) << to_string(pem.error());
    expect_as_expected(item, *pem);
    EXPECT_EQ(item.tpmt_public.has_value(), !item.expected.at("ak_name").is_null());
    if (!item.tpmt_public) continue;
    const auto ak = AkPublic::from_tpm_public(*item.tpmt_public);
    ASSERT_TRUE(ak) << to_string(ak.error());
    EXPECT_EQ(ak->identity()->name.text(), Item::text_of(item.expected.at("ak_name")));
    EXPECT_EQ(ak->identity()->area.attributes().bits(),
              std::stoul(Item::text_of(item.expected.at("ak_object_attributes")), nullptr, 16));
    expect_as_expected(item, *ak);
  }
}

TEST_F(RealQuotes, Q12_AFlippedBitAnywhereIsRefused) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const Item& item : items_) {
    SCOPED_TRACE(item.id);
    const auto ak = AkPublic::from_pem(item.pem).value();
    Bytes message = item.message;
    Bytes signature = item.signature;
    for (Bytes* part : {&message, &signature}) {
      for (std::uint8_t& byte : *part) {
        const auto bit = static_cast<std::uint8_t>(1u << random() % 8);
        byte ^= bit;
        EXPECT_FALSE(verify({message, signature}, ak, AnyNonce{})) << "byte " << &byte - part->data();
        byte ^= bit;
      }
    }
  }
}

// tpm2_checkquote as the other judge, on files in a folder of its own.
class CheckQuote {
 public:
  static bool is_there() { return std::system("command -v tpm2_checkquote >/dev/null 2>&1") == 0; }

  bool accepts(const Item& item, ByteView nonce) const {
    write("ak.pem", as_bytes(item.pem));
    write("message", item.message);
    write("signature", item.signature);
    std::string command =
        "cd '" + folder_.string() + "' && tpm2_checkquote -u ak.pem -m message -s signature -g sha256";
    if (!nonce.empty()) command += " -q " + to_hex(nonce);
    if (item.values) {
      write_values(item);
      command += " -f values";
    }
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }

 private:
  void write(const char* name, ByteView bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << as_text(bytes);
  }
  // As `tpm2_quote -o` writes it: TPML_PCR_SELECTION, a count, and so many TPML_DIGEST of up to eight values, each as
  // the structure of tpm2-tss is in the memory of a little-endian machine. What is malformed gets no values.
  void write_values(const Item& item) const {
    Bytes out;
    const auto number = [&](std::size_t value, int size) {
      for (int i = 0; i < size; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    };
    const auto selections = tpm::QuoteAttest::parse(item.message).value_or(tpm::QuoteAttest{}).selections;
    number(selections.size(), 4);
    std::vector<ByteView> values;
    for (std::size_t i = 0; i < 16; ++i) {
      const tpm::PcrSelection selection = i < selections.size() ? selections[i] : tpm::PcrSelection{};
      number(selection.bank_id, 2);
      number(3, 1);
      number(selection.indices, 5);  // with the padding
      for (std::uint32_t index = 0; index < 24; ++index) {
        const auto* value =
            selection.bank && selection.has(index) ? item.values->find(*selection.bank, index) : nullptr;
        if (value != nullptr) values.push_back(value->bytes());
      }
    }
    number((values.size() + 7) / 8, 4);
    for (std::size_t i = 0; i < values.size(); i += 8) {
      number(std::min<std::size_t>(8, values.size() - i), 4);
      for (std::size_t k = i; k < i + 8; ++k) {
        const ByteView value = k < values.size() ? values[k] : ByteView();
        number(value.size(), 2);
        out.insert(out.end(), value.begin(), value.end());
        out.resize(out.size() + crypto::kMaxDigestSize - value.size());
      }
    }
    write("values", out);
  }

  const TempDir temp_dir_;
  const fs::path& folder_ = temp_dir_.path();
};

bool we_accept(const Item& item, ByteView nonce) {
  const auto ak = AkPublic::from_pem(item.pem);
  if (!ak) return false;
  const auto quote = verify({item.message, item.signature}, *ak, ExpectedNonce{to_bytes(nonce)});
  return quote && (!item.values || prove_registers(*quote, *item.values));
}

TEST_F(RealQuotes, Tpm2CheckquoteJudgesThemAndTheirTwinsAsWeDo) {
  ASSERT_TRUE(CheckQuote::is_there()) << "no tpm2_checkquote: `scripts/install-packages test` installs tpm2-tools";
  const CheckQuote judge;
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto flip = [&](Bytes& bytes) {
    bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
  };
  for (const Item& item : items_) {
    SCOPED_TRACE(item.id);
    const Bytes nonce = item.nonce();
    EXPECT_TRUE(we_accept(item, nonce));
    EXPECT_TRUE(judge.accepts(item, nonce));
    const auto both_refuse = [&](const char* what, const Item& twin, ByteView twin_nonce) {
      EXPECT_FALSE(we_accept(twin, twin_nonce)) << what;
      EXPECT_FALSE(judge.accepts(twin, twin_nonce)) << what;
    };
    Item twin = item;
    flip(twin.message);
    both_refuse("message", twin, nonce);
    twin = item;
    twin.signature.back() ^= static_cast<std::uint8_t>(1u << random() % 8);
    both_refuse("signature", twin, nonce);
    Bytes other = nonce.empty() ? Bytes{1} : nonce;
    flip(other);
    if (other.empty() || other == nonce) other.push_back(1);
    both_refuse("nonce", item, other);
    if (!item.values) continue;
    twin = item;
    const auto attest = tpm::QuoteAttest::parse(item.message).value();
    const auto& selection = attest.selections.front();
    const auto index = static_cast<std::uint32_t>(std::countr_zero(selection.indices));
    crypto::Digest value = *item.values->find(*selection.bank, index);
    value.writable()[random() % value.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
    twin.values->bank(*selection.bank).set(index, value);
    both_refuse("register", twin, nonce);
  }
}

}  // namespace
}  // namespace warifu::attestation
