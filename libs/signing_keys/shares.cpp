#include "signing_keys/shares.h"

#include <fmt/format.h>

extern "C" {  // it does not say so itself
#include <libgfshare.h>
}

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

#include "crypto/digest.h"

namespace warifu::signing_keys {
namespace {

constexpr std::string_view kPrefix = "warifu-share-v1-";
constexpr std::uint8_t kCountMax = 20;
constexpr std::size_t kCheckSize = 4;
constexpr std::size_t kPartSizeMax = 256;

struct FreeContext {
  void operator()(gfshare_ctx* context) const { gfshare_ctx_free(context); }
};
using ContextHandle = std::unique_ptr<gfshare_ctx, FreeContext>;

// libgfshare asks one function of the whole process for random bytes: for the polynomials, and to overwrite what it
// frees.
thread_local Entropy* entropy_in_use = nullptr;
void fill_random(unsigned char* out, unsigned size) {
  if (entropy_in_use != nullptr)
    entropy_in_use->fill({out, size});
  else
    std::fill_n(out, size, std::uint8_t{0});  // only to overwrite: nothing is split without an Entropy
}

// For as long as it lives.
class UsedEntropy {
 public:
  explicit UsedEntropy(Entropy* entropy) {
    static std::once_flag once;
    std::call_once(once, [] { gfshare_fill_rand = fill_random; });
    entropy_in_use = entropy;
  }
  ~UsedEntropy() { entropy_in_use = nullptr; }
  UsedEntropy(const UsedEntropy&) = delete;
  UsedEntropy& operator=(const UsedEntropy&) = delete;
};

Error no_share(std::string_view field) {
  return invalid_input("share.form", "expected a share as it was printed: warifu-share-v1-…", std::string(field));
}

Error out_of_memory() {
  return {ErrorKind::kUnavailable, "share.memory", "there is no memory left to share a secret"};
}

Status check(const ShareScheme& scheme) {
  if (scheme.threshold >= 2 && scheme.threshold <= scheme.count && scheme.count <= kCountMax) return {};
  return invalid_input("share.scheme", fmt::format("a secret is shared among 2 to {} people, of whom at least 2 and at "
                                                   "most all are needed; {} of {} came",
                                                   kCountMax, scheme.threshold, scheme.count));
}

std::string check_of(std::string_view text) {
  return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(text)}).bytes().first(kCheckSize));
}

bool is_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// The next field, up to a '-' or the end.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}
  // Looked at before it is decoded, so that nothing of a part that is none stays in memory.
  Result<SecretBytes> bytes(std::string_view name, std::size_t least, std::size_t most) {
    const auto field = text_.substr(0, text_.find('-'));
    text_.remove_prefix(std::min(field.size() + 1, text_.size()));
    const auto size = field.size() / 2;
    if (field.size() % 2 != 0 || size < least || size > most || !std::ranges::all_of(field, is_digit))
      return no_share(name);
    TRY(auto value, from_hex(field));
    return SecretBytes(std::move(value));
  }
  Result<std::uint8_t> number(std::string_view name) {
    TRY(const auto byte, bytes(name, 1, 1));
    return byte.reveal().front();
  }
  bool is_at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

// Only what was printed: what a person types may be in groups, and in capitals.
std::string as_printed(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  std::ranges::copy_if(text, std::back_inserter(kept),
                       [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
  std::ranges::transform(kept, kept.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return kept;
}

std::uint32_t set_number_of(ByteView set) {
  return (std::uint32_t{set[0]} << 24) | (std::uint32_t{set[1]} << 16) | (std::uint32_t{set[2]} << 8) | set[3];
}

Result<Share> parse_fields(std::string_view text) {
  if (!text.starts_with(kPrefix)) return no_share("prefix");
  Fields fields(text.substr(kPrefix.size()));
  TRY(const auto set, fields.bytes("set", 4, 4));
  TRY(const auto threshold, fields.number("threshold"));
  TRY(const auto count, fields.number("count"));
  TRY(const auto number, fields.number("number"));
  TRY(auto part, fields.bytes("part", 1, kPartSizeMax));
  TRY(const auto check_bytes, fields.bytes("check", kCheckSize, kCheckSize));
  if (!fields.is_at_end()) return no_share("end");
  if (to_hex(check_bytes.reveal()) != check_of(text.substr(0, text.rfind('-') + 1)))
    return invalid_input("share.check", "a character of this share is wrong: compare it with the paper", "check");
  const ShareScheme scheme{threshold, count};
  TRY_STATUS(check(scheme));
  if (number == 0 || number > count) return no_share("number");
  return Share{set_number_of(set.reveal()), scheme, number, std::move(part)};
}

Status check_fit(std::span<const Share> shares) {
  if (shares.empty()) return invalid_input("share.too_few", "no share came");
  const Share& first = shares.front();
  std::array<bool, 256> seen{};
  for (const Share& share : shares) {
    const bool fits = share.set == first.set && share.scheme.threshold == first.scheme.threshold &&
                      share.scheme.count == first.scheme.count && share.part.size() == first.part.size();
    if (!fits)
      return invalid_input("share.set", fmt::format("share {} belongs to set {:08x}, the first one to set {:08x}",
                                                    share.number, share.set, first.set));
    if (std::exchange(seen[share.number], true))
      return invalid_input("share.twice", fmt::format("share {} came twice", share.number));
  }
  if (shares.size() < first.scheme.threshold)
    return invalid_input("share.too_few",
                         fmt::format("{} shares are needed, {} came", first.scheme.threshold, shares.size()));
  return {};
}

}  // namespace

SecretBytes Share::to_text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto head = fmt::format("{}{:08x}-{:02x}-{:02x}-{:02x}-", kPrefix, set, scheme.threshold, scheme.count, number);
  const std::size_t checked = head.size() + 2 * part.size() + 1;
  SecretBytes line(checked + 2 * kCheckSize);
  const auto out = line.reveal_writable();
  auto next = std::ranges::copy(head, out.begin()).out;
  for (const std::uint8_t byte : part.reveal()) {
    *next++ = static_cast<std::uint8_t>(kDigits[byte >> 4]);
    *next++ = static_cast<std::uint8_t>(kDigits[byte & 0xf]);
  }
  *next++ = '-';
  std::ranges::copy(check_of(as_text(out.first(checked))), next);
  return line;
}

Result<Share> Share::parse(std::string_view text) {
  std::string kept = as_printed(text);
  auto share = parse_fields(kept);
  wipe(kept);
  return share;
}

Result<std::vector<Share>> split(const SecretBytes& secret, const ShareScheme& scheme, Entropy& entropy) {
  TRY_STATUS(check(scheme));
  if (secret.empty() || secret.size() > kPartSizeMax)
    return invalid_input("share.scheme", fmt::format("a secret of 1 to {} bytes can be shared", kPartSizeMax));
  const UsedEntropy used(&entropy);
  std::array<std::uint8_t, 4> set{};
  entropy.fill(set);
  std::vector<std::uint8_t> numbers(scheme.count);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<std::uint8_t>(i + 1);
  const auto size = static_cast<unsigned>(secret.size());
  const ContextHandle context(gfshare_ctx_init_enc(numbers.data(), scheme.count, scheme.threshold, size));
  if (context == nullptr) return out_of_memory();
  auto copy = secret.clone();  // it takes no constant
  gfshare_ctx_enc_setsecret(context.get(), copy.reveal_writable().data());
  std::vector<Share> shares;
  shares.reserve(numbers.size());
  for (const std::uint8_t number : numbers) {
    SecretBytes part(secret.size());
    gfshare_ctx_enc_getshare(context.get(), static_cast<unsigned char>(number - 1), part.reveal_writable().data());
    shares.push_back({set_number_of(set), scheme, number, std::move(part)});
  }
  return shares;
}

Result<SecretBytes> combine(std::span<const Share> shares) {
  TRY_STATUS(check_fit(shares));
  const UsedEntropy used(nullptr);
  std::vector<std::uint8_t> numbers;
  numbers.reserve(shares.size());
  for (const Share& share : shares)
    numbers.push_back(share.number);
  const auto size = static_cast<unsigned>(shares.front().part.size());
  const ContextHandle context(gfshare_ctx_init_dec(numbers.data(), static_cast<unsigned>(numbers.size()), size));
  if (context == nullptr) return out_of_memory();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    auto copy = shares[i].part.clone();  // it takes no constant
    gfshare_ctx_dec_giveshare(context.get(), static_cast<unsigned char>(i), copy.reveal_writable().data());
  }
  SecretBytes secret(size);
  gfshare_ctx_dec_extract(context.get(), secret.reveal_writable().data());
  return secret;
}

}  // namespace warifu::signing_keys
