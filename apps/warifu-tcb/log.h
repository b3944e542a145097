#pragma once

#include <string>

#include "tcb/journal.h"

namespace warifu::tcb_program {

// Lines on standard error, as warifud writes them: time, level, text. Without a logging library: this process stays
// small.
class Log final : public tcb::Journal {
 public:
  void info(const std::string& message) { line("info", message); }
  void warn(const std::string& message) override { line("warning", message); }

 private:
  static void line(const char* level, const std::string& message);
};

}  // namespace warifu::tcb_program
