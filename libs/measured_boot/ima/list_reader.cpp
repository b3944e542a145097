#include "measured_boot/ima/list_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "measured_boot/ima/reading.h"
#include "wire/reader.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;

constexpr std::array kDigestSizes = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                                     HashAlgorithm::kSha512};

// Whether a first entry can be read so. Lists of other digest sizes have bytes of a digest where a length is expected.
bool reads_as(ByteView list, const ListForm& form) {
  ListReader reader(list, form);
  const auto entry = reader.next();
  return entry && *entry != nullptr && (*entry)->is_known;
}

// A template that is not known does not tell much; its digest does.
bool proves_as(ByteView list, const ListForm& form) {
  ListReader reader(list, form);
  const auto entry = reader.next();
  return entry && *entry != nullptr && fits_template_digest(**entry, form.template_digest);
}

// SHA-256 and SM3 have one size: the first entry that is no violation tells which.
ListForm told_from_sm3(ByteView list, ListForm form) {
  if (form.template_digest != HashAlgorithm::kSha256) return form;
  ListReader reader(list, form);
  for (auto entry = reader.next(); entry && *entry != nullptr; entry = reader.next()) {
    if ((*entry)->is_violation()) continue;
    if (fits_template_digest(**entry, HashAlgorithm::kSm3)) form.template_digest = HashAlgorithm::kSm3;
    break;
  }
  return form;
}

Error no_form(ByteView list, ListForm::Encoding encoding) {
  // The most likely one tells best what is wrong.
  ListReader reader(list, {encoding, HashAlgorithm::kSha1});
  const auto entry = reader.next();
  if (!entry) return entry.error();
  return invalid_input("ima.form", "expected a list of IMA measurements, binary or ASCII, this is neither",
                       wire::place("entry 1", 0));
}

}  // namespace

bool fits_template_digest(const Entry& entry, HashAlgorithm algorithm) {
  return std::ranges::equal(template_digest(entry, algorithm).bytes(), entry.template_digest);
}

Error entry_error(std::string_view code, std::string message, const Position& before, std::string_view field,
                  std::size_t offset) {
  return invalid_input(code, std::move(message),
                       wire::place(fmt::format("entry {}: {}", before.entries + 1, field), offset));
}

Result<ListForm> list_form(ByteView list) {
  if (list.empty())
    return invalid_input("ima.empty", "expected at least the entry boot_aggregate, the list is empty",
                         wire::place("entry 1", 0));
  const auto encoding = looks_like_ascii(list) ? ListForm::Encoding::kAscii : ListForm::Encoding::kBinary;
  for (const auto proof : {reads_as, proves_as})
    for (const HashAlgorithm algorithm : kDigestSizes)
      if (const ListForm form{encoding, algorithm}; proof(list, form)) return told_from_sm3(list, form);
  return no_form(list, encoding);
}

ListReader::ListReader(ByteView bytes, ListForm form, Position start) : rest_(bytes), form_(form), position_(start) {
}

Result<const Entry*> ListReader::next() {
  if (rest_.empty()) return nullptr;
  if (position_.entries >= kMaxEntries)
    return entry_error("ima.limit", fmt::format("a list has at most {} entries", kMaxEntries), position_, "PCR",
                       position_.offset);
  if (position_.offset + rest_.size() > kMaxListBytes)
    return entry_error("ima.limit", fmt::format("a list has at most {} bytes", kMaxListBytes), position_, "PCR",
                       position_.offset);
  entry_.number = position_.entries + 1;
  entry_.offset = position_.offset;
  entry_.field_count = 0;
  if (form_.encoding == ListForm::Encoding::kAscii) {
    TRY_STATUS(read_line());
  } else {
    TRY_STATUS(read_binary());
  }
  ++position_.entries;
  return &entry_;
}

Status ListReader::use_template(std::string_view name, std::size_t offset) {
  if (!uses_last_template(name)) {
    const bool is_name = !name.empty() && name.size() <= kMaxTemplateName &&
                         std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
    if (!is_name)
      return entry_error("ima.template-name",
                         fmt::format("expected 1 to {} printable characters without spaces", kMaxTemplateName),
                         position_, "template name", offset);
    const auto format = template_format(name);
    template_name_ = name;
    is_known_ = format.has_value();
    format_ = format.value_or(TemplateFormat());
  }
  entry_.is_known = is_known_;
  entry_.is_original = format_.is_original;
  return {};
}

}  // namespace warifu::measured_boot::ima
