#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace warifu::tcb {

// A hub: a host name as in RFC 1123 §2.1 or an IPv4 address, at most 253 characters. Nothing in it can end a resource
// or begin another field of a token.
struct HostNameKind {
  static Result<std::string> check(std::string_view text);
};
using HostName = TextId<HostNameKind>;

}  // namespace warifu::tcb
