#include "keystore/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "wire/json.h"

namespace warifu::keystore {
namespace {

constexpr std::string_view kPrefix = "journal-";
constexpr std::string_view kSuffix = ".jsonl";
constexpr std::size_t kDigits = 8;

// The number in a file's name; 0 for another name.
std::uint64_t file_number(std::string_view name) {
  if (name.size() != kPrefix.size() + kDigits + kSuffix.size() || !name.starts_with(kPrefix) ||
      !name.ends_with(kSuffix))
    return 0;
  const auto digits = name.substr(kPrefix.size(), kDigits);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

crypto::Digest digest_of(std::string_view line) {
  return crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(line)});
}

// Where the first line follows from.
crypto::Digest no_line() {
  return crypto::Digest(crypto::HashAlgorithm::kSha256);
}

Error broken(std::string_view path, std::uint64_t line, std::string_view why) {
  return refused("journal.broken", fmt::format("line {} of {}: {}", line, path, why));
}

struct Chained {
  std::uint64_t number;
  Bytes previous;
};

Result<Chained> parse_line(std::string_view line) {
  TRY(const auto value, wire::parse_json(line));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY(const auto number, fields.required_uint("number"));
  TRY(const auto previous_text, fields.required_string("previous"));
  TRY(auto previous, from_hex(previous_text));
  return Chained{number, std::move(previous)};
}

// The lines of a file up to the first that is none or does not follow from the one before it.
struct Followed {
  std::uint64_t lines = 0;
  std::size_t size = 0;  // of those lines
  std::uint64_t number;  // of the last one, in this file or before it
  crypto::Digest digest;
  std::string_view rest;  // what comes after them
  std::string why = {};   // what is wrong with it
};

Followed follow(std::string_view content, std::uint64_t number, const crypto::Digest& digest) {
  Followed so_far{.number = number, .digest = digest, .rest = content};
  while (!so_far.rest.empty()) {
    const std::size_t end = so_far.rest.find('\n');
    const auto line = so_far.rest.substr(0, end);
    const auto chained = parse_line(line);
    if (end == std::string_view::npos)
      so_far.why = "it does not end";
    else if (!chained)
      so_far.why = to_string(chained.error());
    else if (chained->number != so_far.number + 1)
      so_far.why = fmt::format("expected number {}, not {}", so_far.number + 1, chained->number);
    else if (!std::ranges::equal(chained->previous, so_far.digest.bytes()))
      so_far.why = "the line before it is another one than it was";
    if (!so_far.why.empty()) return so_far;
    ++so_far.lines;
    ++so_far.number;
    so_far.digest = digest_of(line);
    so_far.size += end + 1;
    so_far.rest.remove_prefix(end + 1);
  }
  return so_far;
}

// Takes the word of a file's first line for what came before it.
Status begin_at(std::string_view content, std::string_view path, std::uint64_t& number, crypto::Digest& digest) {
  const auto first = parse_line(content.substr(0, content.find('\n')));
  if (!first || first->number == 0 || first->previous.size() != digest.size())
    return broken(path, 1, "it is none of a journal");
  number = first->number - 1;
  std::ranges::copy(first->previous, digest.writable().begin());
  return {};
}

// What a power cut may leave of the line that was written last, which nobody was told of: one line with holes in it. A
// line that can be read was written whole, so somebody changed it.
bool is_one_torn_line(std::string_view rest) {
  return rest.find('\n') >= rest.size() - 1 && !wire::parse_json(rest);
}

}  // namespace

std::string Journal::path_of(std::uint64_t file) const {
  return fmt::format("{}/{}{:0{}}{}", folder_, kPrefix, file, kDigits, kSuffix);
}

Result<std::uint64_t> Journal::last_file() {
  TRY(const auto names, files_.list(folder_));
  std::uint64_t last = 0;
  for (const std::string& name : names)
    last = std::max(last, file_number(name));
  return last;
}

Result<Journal::End> Journal::walk(std::uint64_t first, std::uint64_t last) {
  End end{.file = std::max<std::uint64_t>(last, 1), .size = 0, .number = 0, .digest = no_line()};
  for (std::uint64_t file = first; file <= last; ++file) {
    TRY(const auto content, files_.read(path_of(file)));
    if (!content) return broken(path_of(file), 1, "the file is missing");
    const auto text = as_text(*content);
    if (file == first && first > 1) TRY_STATUS(begin_at(text, path_of(file), end.number, end.digest));
    const auto followed = follow(text, end.number, end.digest);
    if (!followed.rest.empty() && !(file == last && is_one_torn_line(followed.rest)))
      return broken(path_of(file), followed.lines + 1, followed.why);
    end.number = followed.number;
    end.digest = followed.digest;
    end.size = followed.size;
  }
  return end;
}

Status Journal::add(boost::json::object entry) {
  TRY(const std::uint64_t last, last_file());
  // The newest file may have been left without a line: what it follows from is in the one before.
  TRY(End end, walk(last > 1 ? last - 1 : 1, last));
  if (end.size >= kFileSize) {
    ++end.file;
    end.size = 0;
  }
  entry["number"] = end.number + 1;
  entry["previous"] = to_hex(end.digest.bytes());
  const std::string line = boost::json::serialize(entry) + '\n';
  if (line.size() > kEntrySizeMax)
    return invalid_input("journal.size",
                         fmt::format("an entry has {} bytes at most, not {}", kEntrySizeMax, line.size()));
  const std::string path = path_of(end.file);
  TRY_STATUS(files_.append(path, end.size, as_bytes(line)));
  TRY_STATUS(files_.sync_file(path));
  // The file's name is new, or a power cut kept it from being made safe.
  return end.size == 0 ? files_.sync_folder_of(path) : Status();
}

Result<std::uint64_t> Journal::check() {
  TRY(const std::uint64_t last, last_file());
  TRY(const End end, walk(1, last));
  return end.number;
}

}  // namespace warifu::keystore
