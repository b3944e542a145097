#include "base/error.h"

#include <fmt/format.h>

namespace warifu {

std::string to_string(const Error& error) {
  if (error.where.empty()) return error.message;
  return fmt::format("{} (at {})", error.message, error.where);
}

std::string to_operator_string(const Error& error) {
  if (error.operator_detail.empty()) return to_string(error);
  return fmt::format("{}: {}", to_string(error), error.operator_detail);
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidInput:
      return "invalid-input";
    case ErrorKind::kUnauthenticated:
      return "unauthenticated";
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kNotFound:
      return "not-found";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kThrottled:
      return "throttled";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnauthenticated:
    case ErrorKind::kRefused:
    case ErrorKind::kNotFound:
    case ErrorKind::kConflict:
      return 1;
    case ErrorKind::kInvalidInput:
    case ErrorKind::kInternal:
      return 2;
    case ErrorKind::kThrottled:
    case ErrorKind::kUnavailable:
      return 3;
  }
  return 2;
}

}  // namespace warifu
