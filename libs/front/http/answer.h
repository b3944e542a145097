#pragma once

#include <functional>
#include <variant>

#include "net/http_message.h"
#include "store/store.h"

namespace warifu::front {

// What a change that is kept leaves to be told: a response, or a refusal that is itself worth keeping. (An error that
// `apply` returns instead undoes the change.)
using Decision = std::variant<net::HttpResponse, Error>;

// An answer that may be given only once its change is on disk. `apply` follows the rules of store::Change; what it
// decides is told after the commit, and `committed` (optional) runs just before that if it was no refusal.
struct Durable {
  std::function<Result<Decision>(store::Transaction&)> apply;
  std::function<void()> committed = {};
  // A dry run: the change is undone, and what it would have answered is told.
  bool is_rehearsal = false;
};

// An answer that waits for another program, or for several changes one after another. `work` runs on a thread of its
// own kind (Workers); it must not refer to the call, which has gone by then.
struct Slow {
  std::function<Result<net::HttpResponse>()> work;
  // Whoever asks has proved nothing yet, and may make it cost much: on threads where nobody else waits behind him.
  bool is_for_anybody = false;
};

// What a route answers: at once, after a durable change, or after a while.
using Answer = std::variant<net::HttpResponse, Durable, Slow>;

}  // namespace warifu::front
