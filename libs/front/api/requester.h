#pragma once

#include "audit/requester.h"
#include "front/http/route.h"

namespace warifu::front::api {

// Who a call comes from, as desks and the audit log know him. The name is the operator's own choice; the token is what
// was proved. Only for routes that demand a permission.
std::string actor_of(const Call& call);
audit::Requester requester_of(const Call& call);

// The revision that If-Match demands; nullopt without one or with "*". kInvalidInput "request.if_match".
Result<std::optional<Uuid>> if_match_of(const Call& call);

// As it stands in an ETag header.
std::string etag_of(const Uuid& revision);

// ?dry_run=true: the change is tried, answered and undone. kInvalidInput "request.dry_run".
Result<bool> is_dry_run(const Call& call);

// What a change that leaves no body is answered with.
net::HttpResponse no_content();

Error unknown(std::string_view code, std::string_view what, std::string_view id);

}  // namespace warifu::front::api
