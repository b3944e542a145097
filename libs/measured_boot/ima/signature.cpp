#include "measured_boot/ima/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/digest_signature.h"
#include "measured_boot/ima/signature_format.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;
using Kind = SignatureVerdict::Kind;

std::uint32_t last_four(ByteView id) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : id.last(4))
    value = value << 8 | byte;
  return value;
}

SignatureVerdict not_judged(std::string reason) {
  return {Kind::kNotJudged, std::nullopt, std::move(reason)};
}

SignatureVerdict verify(const SignatureV2& signature, ByteView digest, const Keyring& keyring) {
  const auto keys = keyring.find(signature.key_id);
  if (keys.empty())
    return {Kind::kUnknownKey, signature.key_id,
            fmt::format("no key of the keyring has the id {:08x}", signature.key_id)};
  const bool is_valid = std::ranges::any_of(keys, [&](const crypto::PublicKey* key) {
    return crypto::verify_digest_signature(*key, signature.hash, digest, signature.bytes).has_value();
  });
  if (is_valid) return {Kind::kValid, signature.key_id, {}};
  return {Kind::kInvalid, signature.key_id, "it is not the signature of that key on what was measured"};
}

SignatureVerdict invalid(const SignatureV2& signature, std::string reason) {
  return {Kind::kInvalid, signature.key_id, std::move(reason)};
}

// The digest that was measured, if it is of the hash that the signature names.
std::optional<FileDigest> signed_digest(const ProvedEntry& entry, const SignatureV2& signature, FileDigest::Kind kind) {
  const auto digest = entry.digest();
  return digest && digest->kind == kind && digest->known_algorithm() == signature.hash ? digest : std::nullopt;
}

SignatureVerdict judge_file(const ProvedEntry& entry, const SignatureV2& signature, const Keyring& keyring) {
  const auto digest = signed_digest(entry, signature, FileDigest::Kind::kFile);
  if (!digest) return invalid(signature, "what was measured is no digest of the hash that was signed");
  return verify(signature, digest->bytes, keyring);
}

SignatureVerdict judge_verity(const ProvedEntry& entry, const SignatureV2& signature, const Keyring& keyring) {
  const auto digest = signed_digest(entry, signature, FileDigest::Kind::kVerity);
  if (!digest) return invalid(signature, "what was measured is no digest of fs-verity of the hash that was signed");
  const std::array<std::uint8_t, 2> header = {static_cast<std::uint8_t>(XattrType::kVeritySignature),
                                              kernel_hash_number(signature.hash)};
  return verify(signature, crypto::digest(signature.hash, {header, digest->bytes}).bytes(), keyring);
}

ByteView field_or_empty(const ProvedEntry& entry, FieldId id) {
  const ByteView* field = entry.field(id);
  return field == nullptr ? ByteView() : *field;
}

// security.ima among the extended attributes, by their names and lengths.
std::optional<ByteView> ima_xattr(const ProvedEntry& entry) {
  std::string_view names = as_text(field_or_empty(entry, FieldId::kXattrNames));
  ByteView lengths = field_or_empty(entry, FieldId::kXattrLengths);
  ByteView values = field_or_empty(entry, FieldId::kXattrValues);
  if (names.ends_with('\0')) names.remove_suffix(1);
  std::optional<ByteView> found;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('|'));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    if (lengths.size() < 4) return std::nullopt;
    std::size_t size = 0;
    for (std::size_t i = 4; i > 0; --i)
      size = size << 8 | lengths[i - 1];
    lengths = lengths.subspan(4);
    if (size > values.size()) return std::nullopt;
    if (name == "security.ima" && !found) found = values.first(size);
    values = values.subspan(size);
  }
  return lengths.empty() && values.empty() ? found : std::nullopt;
}

// Whether security.ima says the digest that was measured: as a digest, or as a signature on it.
bool says_digest(ByteView xattr, const ProvedEntry& entry, const Keyring& keyring) {
  const auto digest = entry.digest();
  if (!digest || digest->kind != FileDigest::Kind::kFile || xattr.empty()) return false;
  const auto algorithm = digest->known_algorithm();
  if (!algorithm) return false;
  switch (XattrType{xattr[0]}) {
    case XattrType::kDigest:
      return *algorithm == HashAlgorithm::kSha1 && std::ranges::equal(xattr.subspan(1), digest->bytes);
    case XattrType::kDigestNg:
      return xattr.size() > 2 && xattr[1] == kernel_hash_number(*algorithm) &&
             std::ranges::equal(xattr.subspan(2), digest->bytes);
    case XattrType::kSignature: {
      const auto signature = parse_signature(xattr);
      return signature && signature->version == 2 && judge_file(entry, *signature, keyring).is_valid();
    }
    default:
      return false;
  }
}

SignatureVerdict judge_evm(const ProvedEntry& entry, const SignatureV2& signature, const Keyring& keyring) {
  const ByteView values = field_or_empty(entry, FieldId::kXattrValues);
  const ByteView uid = field_or_empty(entry, FieldId::kInodeUid);
  const ByteView gid = field_or_empty(entry, FieldId::kInodeGid);
  const ByteView mode = field_or_empty(entry, FieldId::kInodeMode);
  const auto ima = ima_xattr(entry);
  if (uid.size() != 4 || gid.size() != 4 || mode.size() != 2 || !ima)
    return not_judged("the entry does not have the attributes that a portable signature of EVM is over");
  if (!says_digest(*ima, entry, keyring))
    return invalid(signature, "security.ima, which was signed, does not say the digest that was measured");
  // struct h_misc: inode number (an unsigned long) and generation, both zero; owner, group, mode; padded to its
  // alignment.
  SignatureVerdict verdict;
  for (const std::size_t word : {8U, 4U}) {
    const Bytes zeros(word + 4);
    const Bytes padding(2);
    verdict =
        verify(signature, crypto::digest(signature.hash, {values, zeros, uid, gid, mode, padding}).bytes(), keyring);
    if (verdict.kind != Kind::kInvalid) break;
  }
  return verdict;
}

SignatureVerdict judge_one(ByteView xattr, const ProvedEntry& entry, const Keyring& keyring) {
  const auto signature = parse_signature(xattr);
  if (!signature) return {Kind::kInvalid, std::nullopt, "it is malformed, or of a hash that we do not have"};
  if (signature->type == XattrType::kSignature && signature->version == 2)
    return judge_file(entry, *signature, keyring);
  if (signature->type == XattrType::kVeritySignature && signature->version == 3)
    return judge_verity(entry, *signature, keyring);
  if (signature->type == XattrType::kEvmPortable && signature->version == 2)
    return judge_evm(entry, *signature, keyring);
  return not_judged(fmt::format("a signature of type {} and version {} is not verified",
                                static_cast<unsigned>(signature->type), signature->version));
}

}  // namespace

void Keyring::add(crypto::PublicKey key) {
  const auto id = crypto::subject_key_id(key);
  add(std::move(key), id.bytes());
}

void Keyring::add(crypto::PublicKey key, ByteView subject_key_id) {
  keys_.emplace(last_four(subject_key_id), std::move(key));
}

std::vector<const crypto::PublicKey*> Keyring::find(std::uint32_t key_id) const {
  std::vector<const crypto::PublicKey*> found;
  const auto [first, last] = keys_.equal_range(key_id);
  for (auto key = first; key != last; ++key)
    found.push_back(&key->second);
  return found;
}

SignatureVerdict judge_signature(const ProvedEntry& entry, const Keyring& keyring) {
  for (const FieldId id : {FieldId::kSignature, FieldId::kEvmSignature})
    if (const ByteView xattr = field_or_empty(entry, id); !xattr.empty()) return judge_one(xattr, entry, keyring);
  if (!field_or_empty(entry, FieldId::kModsig).empty()) return not_judged("appended signatures are not verified");
  return {Kind::kNone, std::nullopt, "the entry has no signature"};
}

}  // namespace warifu::measured_boot::ima
