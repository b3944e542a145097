#include "operators/principal.h"

#include <fmt/format.h>

namespace warifu::operators {

std::string Principal::actor() const {
  if (token_id) return fmt::format("operator:{}/{}", name.text(), token_id->text());
  return fmt::format("service-key:{}", name.text());
}

}  // namespace warifu::operators
