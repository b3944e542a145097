#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace warifu::measured_boot::ima {

// The fields that a template may have (Linux, Documentation/security/IMA-templates.rst), and those of a template that
// we do not know.
enum class FieldId : std::uint8_t {
  kDigest,        // d: SHA-1 or MD5 of the file
  kName,          // n: at most 255 bytes
  kDigestNg,      // d-ng: "sha256:" NUL digest
  kDigestNgV2,    // d-ngv2: "ima:sha256:" NUL digest, or "verity:…" for the digest of fs-verity
  kNameNg,        // n-ng
  kSignature,     // sig: security.ima, or security.evm if that is a portable signature
  kBuffer,        // buf: what was measured, when that was no file
  kModsigDigest,  // d-modsig: digest of the file without its appended signature
  kModsig,        // modsig: the appended signature, PKCS #7
  kEvmSignature,  // evmsig: security.evm
  kXattrNames,    // xattrnames, separated by "|"
  kXattrLengths,  // xattrlengths: u32 each
  kXattrValues,   // xattrvalues, one after another
  kInodeUid,      // iuid: u32
  kInodeGid,      // igid: u32
  kInodeMode,     // imode: u16
  kUnknown,
};

// How the kernel shows a field in the ASCII list, and so how it is read from there.
enum class FieldForm : std::uint8_t { kDigest, kDigestWithAlgorithm, kString, kHexadecimal, kNumber };

std::string_view field_name(FieldId id);  // "d-ng"; "?" for kUnknown
FieldForm field_form(FieldId id);

inline constexpr std::size_t kMaxFields = 15;  // IMA_TEMPLATE_NUM_FIELDS_MAX
inline constexpr std::size_t kMaxTemplateName =
    255;  // 15 field names of at most 16 characters, and what separates them

// Which fields an entry has, in their order.
struct TemplateFormat {
  std::array<FieldId, kMaxFields> fields{};
  std::size_t count = 0;
  // "ima": its entries have no length, a digest of fixed size and a name that is hashed padded to 256 bytes.
  bool is_original = false;

  std::span<const FieldId> view() const { return std::span(fields).first(count); }
};

// Of a template that the kernel has built in, or of one that is named by its fields, like "d-ng|n-ng". nullopt:
// neither.
std::optional<TemplateFormat> template_format(std::string_view name);

}  // namespace warifu::measured_boot::ima
