#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "measured_boot/ima/template.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot::ima {

struct Field {
  FieldId id = FieldId::kUnknown;
  ByteView bytes;
};

// One measurement as the list tells it. Nothing in it is proved: what a quote proves is a MeasuredEntry (match.h). Its
// views live as long as what its reader says.
struct Entry {
  std::size_t number = 0;  // the first is 1
  std::size_t offset = 0;  // from the start of the list
  RegisterIndex pcr = 0;
  ByteView template_digest;
  std::string_view template_name;
  bool is_known = true;      // false: a template that we do not know; its fields are kUnknown
  bool is_original = false;  // "ima"
  ByteView template_data;    // what is hashed; of "ima" it is unused
  std::array<Field, kMaxFields> all_fields{};
  std::size_t field_count = 0;

  std::span<const Field> fields() const { return std::span(all_fields).first(field_count); }
  // The first field of that kind; nullptr if there is none.
  const ByteView* find(FieldId id) const;
  // As in all templates that the kernel has built in. Nothing hashes the name of a template, so who sends the list
  // could give one that calls another field, which the file's owner filled, the digest. Fields keep their places.
  bool starts_with_digest_and_name() const;
  // The kernel found that what it measured is not what is used (ToMToU, open writers): the template digest is zero and
  // the register was extended with ones. Nothing proves the fields of such an entry.
  bool is_violation() const;
};

// The digest of the template data in a bank: what a register of that bank is extended with, unless it is a violation.
// Linux, ima_crypto.c: the fields with their lengths, but in "ima" without, and its name padded to 256 bytes.
crypto::Digest template_digest(const Entry& entry, crypto::HashAlgorithm algorithm);

// n-ng or n, without the NUL at its end. The kernel writes "_" for each space. nullopt: the entry does not start with a
// digest and a name.
std::optional<std::string_view> name_of(const Entry& entry);

// A digest of d, d-ng, d-ngv2 or d-modsig.
struct FileDigest {
  // Verity: fs-verity's, the hash of a descriptor that holds the root of the file's Merkle tree.
  enum class Kind : std::uint8_t { kFile, kVerity };

  Kind kind = Kind::kFile;
  std::string_view algorithm;  // as the kernel writes it: "sha256"; of a bare digest "sha1" or "md5", by its size
  ByteView bytes;

  // The algorithm if it is one of ours and the digest has its size. nullopt: such a digest can be compared with
  // nothing.
  std::optional<crypto::HashAlgorithm> known_algorithm() const;
};
// nullopt: it is no such field, or malformed.
std::optional<FileDigest> parse_file_digest(const Field& field);
// d-ng, d-ngv2 or d. nullopt: the entry does not start with a digest and a name, or the digest is malformed.
std::optional<FileDigest> file_digest_of(const Entry& entry);

// How the kernel calls a hash: "sha256", "sm3", "sm3-256". nullopt: none of ours.
std::optional<crypto::HashAlgorithm> parse_kernel_hash(std::string_view name);

// The name of the entry that binds the list to the boot (I9).
inline constexpr std::string_view kBootAggregate = "boot_aggregate";

}  // namespace warifu::measured_boot::ima
