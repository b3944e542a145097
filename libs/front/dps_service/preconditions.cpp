#include "front/dps_service/preconditions.h"

namespace warifu::front::dps_service {

using provisioning::Precondition;

Result<std::optional<Uuid>> revision_of(std::optional<std::string_view> if_match) {
  if (!if_match || if_match->empty() || *if_match == "*") return std::optional<Uuid>();
  std::string_view text = *if_match;
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  const auto revision = Uuid::parse(text);
  if (!revision)
    return Error{ErrorKind::kConflict, "request.revision", "this ETag is none of this server's: read the object again",
                 "If-Match"};
  return std::optional(*revision);
}

Result<Precondition> precondition_of(std::optional<std::string_view> if_match) {
  TRY(const auto revision, revision_of(if_match));
  const bool must_exist = if_match && !if_match->empty();
  return Precondition{must_exist ? Precondition::Existing::kPresent : Precondition::Existing::kAbsent, revision};
}

}  // namespace warifu::front::dps_service
