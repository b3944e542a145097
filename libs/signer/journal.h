#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/result.h"

namespace warifu::signer {

// What was done with the keys (docs/formats/journal.md).
class Journal {
 public:
  virtual ~Journal() = default;
  // On the disk when this returns.
  virtual Status add(boost::json::object entry) = 0;
  // A line of the log, about what was asked for and not done.
  virtual void tell(const std::string& refusal) = 0;
};

}  // namespace warifu::signer
