#include "store/store.h"

#include <future>
#include <memory>
#include <tuple>

namespace warifu::store {

Status Store::write(const std::function<Status(Transaction&)>& apply) {
  // Shared, because the writer may still be inside set_value() when this thread has its answer and leaves.
  const auto answer = std::make_shared<std::promise<Status>>();
  submit({apply, [answer](Status status) { answer->set_value(std::move(status)); }});
  return answer->get_future().get();
}

// What runs changes in their order has done all before this one.
void Store::settle() {
  std::ignore = write([](Transaction&) { return Status(); });
}

}  // namespace warifu::store
