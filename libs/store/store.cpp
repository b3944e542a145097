#include "store/store.h"

#include <future>
#include <memory>

namespace warifu::store {

Status Store::write(const std::function<Status(Transaction&)>& apply) {
  // Shared, because the writer may still be inside set_value() when this thread has its answer and leaves.
  const auto answer = std::make_shared<std::promise<Status>>();
  submit({apply, [answer](Status status) { answer->set_value(std::move(status)); }});
  return answer->get_future().get();
}

Error went_on_after_failure() {
  return {ErrorKind::kInternal, "store.failed", "a change that went on after a statement had failed was undone"};
}

}  // namespace warifu::store
