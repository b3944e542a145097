#pragma once

#include <string>

namespace warifu::tcb {

// Where the TCB tells its operator what no answer says. Nothing secret goes here.
class Journal {
 public:
  virtual ~Journal() = default;
  virtual void warn(const std::string& message) = 0;
};

}  // namespace warifu::tcb
