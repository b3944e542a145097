#include "device_config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace warifu::device_config {
namespace {

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

// The character after a backslash; 0 for those that need digits or are none.
char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    case '"':
    case '\\':
      return c;
  }
  return 0;
}

// False: no Unicode scalar value.
bool append_utf8(std::string& out, std::uint32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  const auto add = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
    return true;
  }
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
  return true;
}

// One line, read from left to right.
class Line {
 public:
  Line(std::string_view text, std::size_t number) : rest_(text), number_(number) {
    if (rest_.ends_with('\r')) rest_.remove_suffix(1);
  }

  Error wrong(std::string_view code, std::string message) const {
    return invalid_input(code, std::move(message), fmt::format("line {}", number_));
  }
  Error syntax(std::string message) const { return wrong("config.syntax", std::move(message)); }
  std::size_t number() const { return number_; }
  bool has_control() const { return std::ranges::any_of(rest_, is_control); }

  // At the end of what counts.
  bool done() {
    skip_blanks();
    return rest_.empty() || rest_.front() == '#';
  }
  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Result<std::string> key() {
    skip_blanks();
    const auto end = std::ranges::find_if_not(rest_, is_key_character);
    std::string name(rest_.begin(), end);
    if (name.empty()) return syntax("expected a name of letters, digits, \"_\" and \"-\"");
    rest_.remove_prefix(name.size());
    return name;
  }
  Result<std::string> text() {
    skip_blanks();
    for (const std::string_view longer : {"\"\"\"", "'''"})
      if (rest_.starts_with(longer)) return wrong("config.type", "a text stands in one pair of quotes, on one line");
    if (take('\'')) return literal();
    if (take('"')) return basic();
    if (done()) return syntax("the value is missing");
    return wrong("config.type", "every setting is a text in quotes");
  }

 private:
  void skip_blanks() {
    const auto first = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }
  Result<std::string> literal() {
    const auto end = rest_.find('\'');
    if (end == std::string_view::npos) return syntax("the closing quote is missing");
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }
  Result<std::string> basic() {
    std::string value;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c != '\\')
        value.push_back(c);
      else if (!append_escape(value))
        return syntax("there is no such escape");
    }
    return syntax("the closing quote is missing");
  }
  // After the backslash.
  bool append_escape(std::string& value) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (const char simple = simple_escape(c); simple != 0) {
      value.push_back(simple);
      return true;
    }
    const std::size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0 || rest_.size() < digits) return false;
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + digits, code, 16);
    if (error != std::errc() || end != rest_.data() + digits) return false;
    rest_.remove_prefix(digits);
    return append_utf8(value, code);
  }

  std::string_view rest_;
  const std::size_t number_;
};

// After the first bracket.
Status read_table(Line& line, std::vector<Table>& tables) {
  if (line.take('[')) return line.wrong("config.type", "expected one [table], not one of a list of [[tables]]");
  TRY(auto name, line.key());
  if (!line.take(']') || !line.done()) return line.syntax("expected [NAME] and nothing else in the line");
  if (std::ranges::find(tables, name, &Table::name) != tables.end())
    return line.syntax(fmt::format("the table \"{}\" was there already", name));
  tables.push_back({std::move(name), line.number(), {}});
  return {};
}

Status read_setting(Line& line, std::vector<Table>& tables) {
  TRY(auto key, line.key());
  if (!line.take('=')) return line.syntax("expected KEY = \"TEXT\"");
  TRY(auto value, line.text());
  if (!line.done()) return line.syntax("expected nothing after the text");
  if (tables.empty()) return line.wrong("config.unknown", fmt::format("the setting \"{}\" stands in no table", key));
  Table& table = tables.back();
  if (table.find(key) != nullptr)
    return line.syntax(fmt::format("the setting \"{}.{}\" was there already", table.name, key));
  table.settings.push_back({std::move(key), std::move(value), line.number()});
  return {};
}

}  // namespace

const Setting* Table::find(std::string_view key) const {
  const auto found = std::ranges::find(settings, key, &Setting::key);
  return found == settings.end() ? nullptr : &*found;
}

Result<std::vector<Table>> parse_tables(std::string_view text) {
  std::vector<Table> tables;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    Line line(text.substr(0, end), number);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.has_control()) return line.syntax("there is a control character");
    if (line.done()) continue;
    TRY_STATUS(line.take('[') ? read_table(line, tables) : read_setting(line, tables));
  }
  return tables;
}

}  // namespace warifu::device_config
