#include "front/http/route.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::front {
namespace {

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, fold, fold);
}

std::vector<std::string> split(std::string_view pattern) {
  std::vector<std::string> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const auto segment = pattern.substr(0, pattern.find('/'));
    segments.emplace_back(segment);
    pattern.remove_prefix(segment.size());
  }
  return segments;
}

// The parameters, if the segments fit the pattern.
std::optional<std::vector<std::string>> fit(const std::vector<std::string>& pattern,
                                            const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return std::nullopt;
  std::vector<std::string> parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i]))
      parameters.push_back(segments[i]);
    else if (!equal_without_case(pattern[i], segments[i]))
      return std::nullopt;
  }
  return parameters;
}

bool takes(const Route& route, net::Method method) {
  return route.method == method || (route.method == net::Method::kGet && method == net::Method::kHead);
}

}  // namespace

std::optional<operators::Permission> Access::permission() const {
  const auto* permission = std::get_if<operators::Permission>(&rule_);
  return permission == nullptr ? std::nullopt : std::optional(*permission);
}

std::string Access::text() const {
  if (const auto needed = permission()) return std::string(operators::to_string(*needed));
  return fmt::format("open: {}", std::get<std::string_view>(rule_));
}

Router::Router(std::vector<Route> routes, ErrorShape error_shape)
    : routes_(std::move(routes)), error_shape_(std::move(error_shape)) {
  // "{" sorts after every letter, digit and "-", so that the literal stands before the parameter.
  std::ranges::stable_sort(routes_, {}, &Route::pattern);
  for (const Route& route : routes_) {
    patterns_.push_back(split(route.pattern));
    if (route.pattern.ends_with("...}")) rest_prefixes_.push_back(route.pattern.substr(0, route.pattern.rfind('{')));
  }
}

Result<net::Target> Router::parse(std::string_view target) const {
  for (const std::string& prefix : rest_prefixes_)
    if (target.starts_with(prefix)) return net::parse_target(target, prefix.size());
  return net::parse_target(target);
}

Router::Match Router::match(net::Method method, const net::Target& target) const {
  Match match;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    auto parameters = fit(patterns_[i], target.segments);
    if (!parameters) continue;
    if (takes(routes_[i], method)) return {&routes_[i], *std::move(parameters), {}};
    if (!match.allowed_methods.empty()) match.allowed_methods += ", ";
    match.allowed_methods += net::to_string(routes_[i].method);
  }
  return match;
}

net::HttpResponse Router::error(const Error& error, std::string_view tracking_id, std::string_view target) const {
  return error_shape_(error, tracking_id, target);
}

}  // namespace warifu::front
