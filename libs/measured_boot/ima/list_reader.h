#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "measured_boot/ima/entry.h"

namespace warifu::measured_boot::ima {

// What is taken at most. Beyond it is an error; nothing is ever allocated by a length that the list states.
inline constexpr std::size_t kMaxListBytes = 256 * 1024 * 1024;
inline constexpr std::size_t kMaxEntries = 4'000'000;

// What all entries of a list have in common: how it is written (binary_runtime_measurements or
// ascii_runtime_measurements), and the hash of its template digests, SHA-1 but for the files that newer kernels have
// for each bank.
struct ListForm {
  enum class Encoding : std::uint8_t { kBinary, kAscii };

  Encoding encoding = Encoding::kBinary;
  crypto::HashAlgorithm template_digest = crypto::HashAlgorithm::kSha1;

  friend bool operator==(const ListForm&, const ListForm&) = default;
};
// From the first entries. Codes: "ima.empty"; "ima.big-endian" for the list of a big-endian machine whose kernel was
// not told ima_canonical_fmt (I6); "ima.form" when no kernel writes such a list; and those of ListReader::next().
Result<ListForm> list_form(ByteView list);

// How far a list was read.
struct Position {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

// Reads one entry after another. Prefer the binary list: the ASCII one states no lengths, so what it means is known
// only because the template digest fits (I4).
class ListReader {
 public:
  // `bytes` is the list from `start` on; errors count from the start of the list.
  ListReader(ByteView bytes, ListForm form, Position start = {});
  ListReader(ListReader&&) = delete;

  // The next entry, or nullptr after the last. It and its views live until the next call, and as long as the bytes of a
  // binary list. kInvalidInput, with entry, field and offset: "ima.truncated", "ima.pcr", "ima.template-name",
  // "ima.template-data", "ima.field", "ima.line", "ima.limit".
  Result<const Entry*> next();
  // Whether the views of an entry live as long as the bytes of the list.
  bool views_stay() const { return form_.encoding == ListForm::Encoding::kBinary; }
  // After the entry that next() gave last.
  Position position() const { return position_; }

 private:
  bool uses_last_template(std::string_view name) const { return name == template_name_ && !name.empty(); }
  Status use_template(std::string_view name, std::size_t offset);
  Status read_binary();  // binary_reader.cpp
  bool take_fields(ByteView data);
  Error fields_error(ByteView data, std::size_t start) const;
  Status read_original(ByteView rest, std::size_t offset);
  Status read_line();  // ascii_reader.cpp
  Status read_tokens(std::string_view tokens, std::size_t offset);

  ByteView rest_;
  const ListForm form_;
  Position position_;
  Entry entry_;
  std::string template_name_;  // the last one, whose format is known already
  TemplateFormat format_;
  bool is_known_ = false;
  Bytes scratch_;  // template data of an ASCII entry, and its template digest
};

}  // namespace warifu::measured_boot::ima
