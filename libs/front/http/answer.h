#pragma once

#include <functional>
#include <variant>

#include "net/http_message.h"
#include "store/store.h"

namespace warifu::front {

// An answer that may be given only once its change is on disk. `apply` follows the rules of store::Change; the response
// that it returns is sent after the commit, and `committed` (optional) runs just before that.
struct Durable {
  std::function<Result<net::HttpResponse>(store::Transaction&)> apply;
  std::function<void()> committed = {};
};

// What a route answers: at once, or after a durable change.
using Answer = std::variant<net::HttpResponse, Durable>;

}  // namespace warifu::front
