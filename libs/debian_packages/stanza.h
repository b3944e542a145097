#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace warifu::debian_packages {

// Fields of one paragraph of Debian's control files (deb822(5)): views into the text.
class Stanza {
 public:
  // Without regard to case. A value of several lines has them all, with the line feeds between.
  std::optional<std::string_view> find(std::string_view name) const;
  // "debian.stanza" (kInvalidInput): it is missing.
  Result<std::string_view> required(std::string_view name) const;
  std::size_t line() const { return line_; }  // its first one; 1 is that of the file

 private:
  friend class StanzaReader;
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
  std::size_t line_ = 0;
};

// One paragraph after another.
class StanzaReader {
 public:
  static constexpr std::size_t kFieldsMax = 200;

  // `name` of the file, for errors. Both outlive it.
  StanzaReader(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  // nullopt at the end. kInvalidInput "debian.stanza" with file and line: no field, a field twice, too many.
  Result<std::optional<Stanza>> next();
  std::string place() const;

 private:
  std::string_view take_line();
  Status add(Stanza& stanza, std::string_view line) const;
  Error refusal(std::string what) const;

  std::string_view rest_;
  std::string_view name_;
  std::size_t line_ = 0;
};

// The words of a line, which blanks and tabs divide.
std::vector<std::string_view> words_of(std::string_view line);

}  // namespace warifu::debian_packages
