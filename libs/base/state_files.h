#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu {

// The small files in which a program keeps its state, by name. What replace() and remove() reported as done survives a
// power cut; during a replace() the old or the new content survives, whole. The real one is keystore::StateFolder; the
// one that loses power is sim::PowerLossStateFiles.
class StateFiles {
 public:
  virtual ~StateFiles() = default;
  // nullopt: there is none of this name.
  virtual Result<std::optional<Bytes>> read(std::string_view name) = 0;
  virtual Status replace(std::string_view name, ByteView content) = 0;
  // Done too when there was none.
  virtual Status remove(std::string_view name) = 0;
};

}  // namespace warifu
