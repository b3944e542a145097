#include "net/target.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace warifu::net {
namespace {

namespace urls = boost::urls;

constexpr std::size_t kTargetBytesMax = 4096;  // the longest of ours, an OCSP GET with a large request, has about 300
constexpr std::size_t kSegmentsMax = 32;       // the deepest of ours has 8
constexpr std::size_t kParametersMax = 32;

Error refusal(std::string message) {
  return invalid_input("http.target", std::move(message));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Result<urls::url_view> parse_form(std::string_view target) {
  if (target.size() > kTargetBytesMax)
    return refusal("expected a target of at most 4096 bytes, got " + std::to_string(target.size()));
  const auto url = urls::parse_origin_form({target.data(), target.size()});
  if (!url) return refusal("expected an absolute path with valid escapes: " + url.error().message());
  return *url;
}

Result<std::string> decode(urls::pct_string_view encoded, urls::encoding_opts options) {
  std::string text;
  encoded.decode(options, urls::string_token::assign_to(text));
  if (has_control_character(text))
    return refusal("expected text without control characters in the target, also when decoded");
  return text;
}

// The first `count`.
Result<std::vector<std::string>> decode_segments(const urls::url_view& url, std::size_t count) {
  if (count > kSegmentsMax) return refusal("expected at most 32 path segments");
  std::vector<std::string> segments;
  segments.reserve(count + 1);
  for (const urls::pct_string_view segment : url.encoded_segments()) {
    if (segments.size() == count) break;
    if (!segments.empty() && segments.back().empty()) return refusal("expected no empty path segment");
    TRY(std::string text, decode(segment, {}));
    if (text == "." || text == "..") return refusal("expected a path without dot segments");
    segments.push_back(std::move(text));
  }
  return segments;
}

Result<std::vector<std::pair<std::string, std::string>>> decode_query(const urls::url_view& url) {
  const urls::encoding_opts form(true);
  const urls::params_encoded_view encoded = url.encoded_params();
  if (encoded.size() > kParametersMax) return refusal("expected at most 32 query parameters");
  std::vector<std::pair<std::string, std::string>> query;
  for (const urls::param_pct_view parameter : encoded) {
    TRY(std::string key, decode(parameter.key, form));
    TRY(std::string value, decode(parameter.value, form));
    query.emplace_back(std::move(key), std::move(value));
  }
  return query;
}

}  // namespace

std::optional<std::string_view> Target::parameter(std::string_view name) const {
  const auto found =
      std::find_if(query.begin(), query.end(), [name](const auto& entry) { return entry.first == name; });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

Result<Target> parse_target(std::string_view target) {
  TRY(const auto url, parse_form(target));
  Target parsed;
  TRY(parsed.segments, decode_segments(url, url.encoded_segments().size()));
  TRY(parsed.query, decode_query(url));
  return parsed;
}

Result<Target> parse_target(std::string_view target, std::size_t opaque_from) {
  TRY(const auto url, parse_form(target));
  const std::string_view path = url.encoded_path();
  if (path.size() < opaque_from) return parse_target(target);
  const auto slashes = std::count(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(opaque_from), '/');
  Target parsed;
  TRY(parsed.segments, decode_segments(url, static_cast<std::size_t>(slashes) - 1));
  if (!parsed.segments.empty() && parsed.segments.back().empty()) return refusal("expected no empty path segment");
  TRY(std::string rest, decode(path.substr(opaque_from), {}));
  parsed.segments.push_back(std::move(rest));
  TRY(parsed.query, decode_query(url));
  return parsed;
}

}  // namespace warifu::net
