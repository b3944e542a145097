#include "front/api/requester.h"

#include <fmt/format.h>

namespace warifu::front::api {

std::string actor_of(const Call& call) {
  return call.principal->actor();
}

audit::Requester requester_of(const Call& call) {
  return {call.principal->scope, actor_of(call)};
}

Result<std::optional<Uuid>> if_match_of(const Call& call) {
  auto text = call.request.header("If-Match");
  if (!text || *text == "*") return std::optional<Uuid>();
  if (text->size() >= 2 && text->starts_with('"') && text->ends_with('"')) *text = text->substr(1, text->size() - 2);
  const auto revision = Uuid::parse(*text);
  if (!revision)
    return invalid_input("request.if_match", "If-Match takes the ETag of the object, like \"01a2…\", or *", "If-Match");
  return std::optional(*revision);
}

std::string etag_of(const Uuid& revision) {
  return fmt::format("\"{}\"", revision.text());
}

Result<bool> is_dry_run(const Call& call) {
  const auto text = call.target.parameter("dry_run");
  if (!text || *text == "false") return false;
  if (*text == "true") return true;
  return invalid_input("request.dry_run", "dry_run is true or false", "dry_run");
}

net::HttpResponse no_content() {
  return {204, {}, "", ""};
}

Error unknown(std::string_view code, std::string_view what, std::string_view id) {
  return {ErrorKind::kNotFound, code, fmt::format("there is no {} \"{}\"", what, id)};
}

}  // namespace warifu::front::api
