#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "net/http_message.h"

namespace warifu::net {

HttpResponse internal_error();

// The place where a handler's answer and the waiting connection meet, from any two threads.
class PendingAnswer : public std::enable_shared_from_this<PendingAnswer> {
 public:
  // For the handler. When all copies are gone without an answer, the answer is a 500.
  Respond respond_function();
  // The first answer counts.
  void give(HttpResponse response);
  // Answers with a 500, if there is no answer yet.
  void fail();

  // For the connection: the answer, if it is there. Otherwise calls `wake`, which must not block, once it is.
  std::optional<HttpResponse> take_or_wake(std::function<void()> wake);
  // The connection is going: `wake` is not called any more when this returns.
  void abandon();

 private:
  void give_locked(HttpResponse response);

  std::mutex mutex_;
  bool answered_ = false;
  std::optional<HttpResponse> response_;
  std::function<void()> wake_;
};

}  // namespace warifu::net
