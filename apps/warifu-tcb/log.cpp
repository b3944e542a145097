#include "warifu-tcb/log.h"

#include <cstdio>

#include "base/time.h"

namespace warifu::tcb_program {

void Log::line(const char* level, const std::string& message) {
  std::fprintf(stderr, "%s %s %s\n", to_rfc3339(SystemClock().now()).c_str(), level, message.c_str());
}

}  // namespace warifu::tcb_program
