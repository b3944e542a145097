#pragma once

#include <functional>

#include "store/connection.h"

namespace warifu::store {

// Writes that may be lost in a power cut and need no audit entry, on connections of their own: what strangers cause, or
// what is only told. Each statement stands for itself. Safe to call from several threads.
class LooseWrites {
 public:
  using Write = std::function<Status(Connection&)>;

  virtual ~LooseWrites() = default;
  // On this thread.
  virtual Status run(const Write& write) = 0;
  // Later, in the order in which they come. It is dropped when too many wait, or when it fails.
  virtual void post(Write write) = 0;
};

}  // namespace warifu::store
