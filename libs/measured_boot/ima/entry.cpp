#include "measured_boot/ima/entry.h"

#include <algorithm>

namespace warifu::measured_boot::ima {
namespace {

constexpr std::size_t kPaddedName = 256;  // IMA_EVENT_NAME_LEN_MAX + 1
constexpr std::array<std::uint8_t, kPaddedName> kPadding{};

std::string_view without_trailing_nuls(ByteView bytes) {
  std::string_view text = as_text(bytes);
  while (!text.empty() && text.back() == '\0')
    text.remove_suffix(1);
  return text;
}

// Kernels before 4.0 may leave out the name of SHA-1 and MD5.
std::string_view algorithm_by_size(std::size_t size) {
  return size == 20 ? "sha1" : size == 16 ? "md5" : "";
}

std::optional<FileDigest> parse_prefixed(ByteView bytes, bool has_kind) {
  const std::string_view text = as_text(bytes);
  const auto nul = text.find('\0');
  if (nul == std::string_view::npos || nul == 0 || text[nul - 1] != ':') return std::nullopt;
  std::string_view prefix = text.substr(0, nul - 1);
  FileDigest digest;
  digest.bytes = bytes.subspan(nul + 1);
  if (has_kind) {
    if (prefix.starts_with("verity:"))
      digest.kind = FileDigest::Kind::kVerity;
    else if (!prefix.starts_with("ima:"))
      return std::nullopt;
    prefix.remove_prefix(prefix.find(':') + 1);
  }
  digest.algorithm = prefix.empty() ? algorithm_by_size(digest.bytes.size()) : prefix;
  return digest;
}

}  // namespace

const ByteView* Entry::find(FieldId id) const {
  for (std::size_t i = 0; i < field_count; ++i)
    if (all_fields[i].id == id) return &all_fields[i].bytes;
  return nullptr;
}

bool Entry::is_violation() const {
  return std::ranges::all_of(template_digest, [](std::uint8_t byte) { return byte == 0; });
}

crypto::Digest template_digest(const Entry& entry, crypto::HashAlgorithm algorithm) {
  if (!entry.is_original) return crypto::digest(algorithm, {entry.template_data});
  const ByteView name = entry.all_fields[1].bytes;  // the reader holds that it is shorter than 256 bytes
  return crypto::digest(algorithm, {entry.all_fields[0].bytes, name, ByteView(kPadding).subspan(name.size())});
}

bool Entry::starts_with_digest_and_name() const {
  if (field_count < 2) return false;
  const FieldId first = all_fields[0].id;
  const FieldId second = all_fields[1].id;
  return (first == FieldId::kDigestNg || first == FieldId::kDigestNgV2 || first == FieldId::kDigest) &&
         (second == FieldId::kNameNg || second == FieldId::kName);
}

std::optional<std::string_view> name_of(const Entry& entry) {
  if (!entry.starts_with_digest_and_name()) return std::nullopt;
  return without_trailing_nuls(entry.all_fields[1].bytes);
}

std::optional<crypto::HashAlgorithm> parse_kernel_hash(std::string_view name) {
  if (name == "sha256") return crypto::HashAlgorithm::kSha256;  // what most lists have
  if (name == "sm3" || name == "sm3-256") return crypto::HashAlgorithm::kSm3;
  return parse_bank_name(name);
}

std::optional<crypto::HashAlgorithm> FileDigest::known_algorithm() const {
  const auto known = parse_kernel_hash(algorithm);
  return known && crypto::digest_size(*known) == bytes.size() ? known : std::nullopt;
}

std::optional<FileDigest> parse_file_digest(const Field& field) {
  switch (field.id) {
    case FieldId::kDigest:
      return FileDigest{.algorithm = algorithm_by_size(field.bytes.size()), .bytes = field.bytes};
    case FieldId::kDigestNg:
    case FieldId::kModsigDigest:
      return parse_prefixed(field.bytes, false);
    case FieldId::kDigestNgV2:
      return parse_prefixed(field.bytes, true);
    default:
      return std::nullopt;
  }
}

std::optional<FileDigest> file_digest_of(const Entry& entry) {
  if (!entry.starts_with_digest_and_name()) return std::nullopt;
  return parse_file_digest(entry.all_fields[0]);
}

}  // namespace warifu::measured_boot::ima
