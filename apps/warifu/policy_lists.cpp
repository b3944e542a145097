#include "warifu/policy_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cctype>
#include <string_view>

#include "base/time_text.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

void read_files(const json::array& array, std::uint32_t source, std::vector<AllowedFile>& files) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    const auto& file = array[i].as_object();
    const std::string_view path = file.at("path").as_string();
    for (const auto& digest : file.at("digests").as_array())
      files.push_back({std::string(path), lowered(digest.as_string()), source, static_cast<std::uint32_t>(i)});
  }
}

std::string quoted(std::string_view text) {
  return json::serialize(json::string(text));
}

void write_files(const std::vector<AllowedFile>& files, std::string_view indent, std::FILE* out) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool begins = i == 0 || files[i - 1].path != files[i].path;
    const bool ends = i + 1 == files.size() || files[i + 1].path != files[i].path;
    if (begins)
      fmt::print(out, "{}{}{{\"path\": {}, \"digests\": [", i == 0 ? "" : ",\n", indent, quoted(files[i].path));
    fmt::print(out, "{}\"{}\"{}", begins ? "" : ", ", files[i].digest, ends ? "]}" : "");
  }
}

void write_windows(const PolicyLists& lists, std::FILE* out) {
  bool is_first = true;
  for (const auto& [until, files] : lists.retiring) {
    fmt::print(out, "{}    {{\"until\": \"{}\", \"files\": [\n", is_first ? "" : ",\n", to_rfc3339(until));
    write_files(files, "      ", out);
    fmt::print(out, "]}}");
    is_first = false;
  }
}

bool is_list(std::string_view name) {
  return name == "files" || name == "retiring";
}

void write_ima(const json::object& rest, const PolicyLists& lists, std::FILE* out) {
  std::string_view before;
  for (const auto& [name, value] : rest) {
    if (is_list(name)) continue;
    fmt::print(out, "{}{}: {}", before, quoted(name), json::serialize(value));
    before = ",\n  ";
  }
  if (!lists.files.empty()) {
    fmt::print(out, "{}\"files\": [\n", before);
    write_files(lists.files, "    ", out);
    fmt::print(out, "]");
    before = ",\n  ";
  }
  if (lists.retiring.empty()) return;
  fmt::print(out, "{}\"retiring\": [\n", before);
  write_windows(lists, out);
  fmt::print(out, "]");
}

}  // namespace

void read_lists(const json::object& policy, std::uint32_t source, PolicyLists& lists) {
  const auto* part = policy.if_contains("ima");
  if (part == nullptr || part->is_null()) return;
  const auto& ima = part->as_object();
  const auto array_of = [](const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_array();
  };
  if (const auto* files = array_of(ima, "files")) read_files(*files, source, lists.files);
  if (const auto* windows = array_of(ima, "retiring")) {
    for (const auto& value : *windows) {
      const auto& window = value.as_object();
      const auto until = parse_rfc3339(std::string_view(window.at("until").as_string()));
      read_files(window.at("files").as_array(), source, lists.retiring[until.value()]);
    }
  }
  if (const auto* withdrawn = array_of(ima, "withdrawn"))
    for (const auto& digest : *withdrawn)
      lists.withdrawn.insert(lowered(digest.as_string()));
}

void sort_unique(std::vector<AllowedFile>& files) {
  std::ranges::stable_sort(files, [](const auto& a, const auto& b) { return a < b; });
  const auto is_same = [](const auto& a, const auto& b) { return a.path == b.path && a.digest == b.digest; };
  files.erase(std::unique(files.begin(), files.end(), is_same), files.end());
}

Status write_policy(const json::object& rest, const PolicyLists& lists, std::FILE* out) {
  fmt::print(out, "{{");
  std::string_view before;
  const bool lists_something = !lists.files.empty() || !lists.retiring.empty();
  for (const auto& [name, value] : rest) {
    if (name == "ima" && (lists_something || !value.is_object())) continue;
    fmt::print(out, "{}{}: {}", before, quoted(name), json::serialize(value));
    before = ",\n ";
  }
  if (lists_something) {
    const auto* ima = rest.if_contains("ima");
    fmt::print(out, "{}\"ima\": {{", before);
    write_ima(ima != nullptr && ima->is_object() ? ima->get_object() : json::object(), lists, out);
    fmt::print(out, "}}");
  }
  fmt::print(out, "}}\n");
  if (std::fflush(out) == 0 && std::ferror(out) == 0) return {};
  return Error{ErrorKind::kUnavailable, "file.write", "it could not be written", "standard output"};
}

}  // namespace warifu::cli
