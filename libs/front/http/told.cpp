#include "front/http/told.h"

namespace warifu::front {

Error told_to_device(Error error) {
  if (error.kind == ErrorKind::kRefused && error.code.starts_with("device.")) {
    error.message = "this device is refused; its operator knows why";
    error.where.clear();
  }
  if (error.code.starts_with("store.")) {
    error.message = "the server cannot write now: try again later";
    error.where.clear();
  }
  return error;
}

}  // namespace warifu::front
