#include "debian_packages/stanza.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::debian_packages {
namespace {

constexpr std::string_view kBlanks = " \t";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Printable ASCII without a colon, and not what begins a comment or an option.
bool is_field_name(std::string_view name) {
  const bool is_printable = std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
  return !name.empty() && is_printable && name.front() != '#' && name.front() != '-';
}

}  // namespace

std::optional<std::string_view> Stanza::find(std::string_view name) const {
  const auto found = std::ranges::find_if(fields_, [&](const auto& field) { return is_same_name(field.first, name); });
  if (found == fields_.end()) return std::nullopt;
  return found->second;
}

Result<std::string_view> Stanza::required(std::string_view name) const {
  if (const auto value = find(name); value && !value->empty()) return *value;
  return invalid_input("debian.stanza", fmt::format("the field {} is missing", name), fmt::format("line {}", line_));
}

std::string StanzaReader::place() const {
  return fmt::format("{}:{}", name_, line_);
}

Error StanzaReader::refusal(std::string what) const {
  return invalid_input("debian.stanza", std::move(what), place());
}

std::string_view StanzaReader::take_line() {
  const auto end = rest_.find('\n');
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++line_;
  return line;
}

Status StanzaReader::add(Stanza& stanza, std::string_view line) const {
  if (kBlanks.find(line.front()) != std::string_view::npos) {
    if (stanza.fields_.empty()) return refusal("a line goes on with a field, and there is none before it");
    auto& value = stanza.fields_.back().second;
    // Both are of one text: the value goes on to the end of this line.
    value = {value.data(), static_cast<std::size_t>(line.data() + line.size() - value.data())};
    return {};
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_field_name(line.substr(0, colon)))
    return refusal("expected a field like Package: bash");
  const std::string_view name = line.substr(0, colon);
  if (stanza.find(name)) return refusal(fmt::format("the field {} is there twice", name));
  if (stanza.fields_.size() == kFieldsMax) return refusal(fmt::format("it has more than {} fields", kFieldsMax));
  std::string_view value = trimmed(line.substr(colon + 1));
  if (value.empty()) value = line.substr(line.size());  // where the next line goes on
  stanza.fields_.emplace_back(name, value);
  return {};
}

Result<std::optional<Stanza>> StanzaReader::next() {
  Stanza stanza;
  while (!rest_.empty()) {
    const std::string_view line = take_line();
    if (line.find('\0') != std::string_view::npos) return refusal("expected text");
    if (trimmed(line).empty()) {
      if (!stanza.fields_.empty()) return std::optional(std::move(stanza));
      continue;
    }
    if (stanza.fields_.empty()) stanza.line_ = line_;
    TRY_STATUS(add(stanza, line));
  }
  if (stanza.fields_.empty()) return std::optional<Stanza>();
  return std::optional(std::move(stanza));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(kBlanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

}  // namespace warifu::debian_packages
