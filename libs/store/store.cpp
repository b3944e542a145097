#include "store/store.h"

#include <future>

namespace warifu::store {

Status Store::write(const std::function<Status(Transaction&)>& apply) {
  std::promise<Status> answer;
  submit({apply, [&answer](Status status) { answer.set_value(std::move(status)); }});
  return answer.get_future().get();
}

}  // namespace warifu::store
