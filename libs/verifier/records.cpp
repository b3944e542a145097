#include "verifier/records.h"

#include <fmt/format.h>

#include <cstdlib>

namespace warifu::verifier {

std::string_view to_string(Keeping why) {
  switch (why) {
    case Keeping::kChanged:
      return "changed";
    case Keeping::kBad:
      return "bad";
    case Keeping::kBoot:
      return "boot";
  }
  std::abort();
}

Result<Keeping> parse_keeping(std::string_view text) {
  for (const Keeping why : {Keeping::kChanged, Keeping::kBad, Keeping::kBoot})
    if (text == to_string(why)) return why;
  return invalid_input("evidence.keeping", fmt::format("\"{}\" is not changed, bad or boot", text));
}

std::string_view to_string(PolicyMode mode) {
  return mode == PolicyMode::kEnforce ? "enforce" : "review";
}

Result<PolicyMode> parse_policy_mode(std::string_view text) {
  if (text == "enforce") return PolicyMode::kEnforce;
  if (text == "review") return PolicyMode::kReview;
  return invalid_input("policy.mode", fmt::format("\"{}\" is no mode: enforce or review", text));
}

std::string policy_target(const RegistrationId& registration) {
  return fmt::format("enrollment/{}", registration.text());
}

std::string policy_target(const GroupId& group) {
  return fmt::format("group/{}", group.text());
}

}  // namespace warifu::verifier
