#pragma once

#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace warifu {

// A value or an Error. Unlike tl::expected itself it may not be dropped unread. Write straight lines with TRY.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}
};

// Success without a value.
using Status = Result<void>;

inline Error invalid_input(std::string_view code, std::string message, std::string where = {}) {
  return {ErrorKind::kInvalidInput, code, std::move(message), std::move(where)};
}
inline Error refused(std::string_view code, std::string message, std::string where = {}) {
  return {ErrorKind::kRefused, code, std::move(message), std::move(where)};
}

}  // namespace warifu

#define WARIFU_CONCAT_(a, b) a##b
#define WARIFU_CONCAT(a, b) WARIFU_CONCAT_(a, b)
#define WARIFU_TRY_(result, declaration, expression, return_keyword)      \
  auto result = (expression);                                             \
  if (!result) return_keyword ::warifu::Error(std::move(result).error()); \
  declaration = std::move(*result)
#define WARIFU_TRY_STATUS_(result, expression, return_keyword) \
  if (auto result = (expression); !result) return_keyword ::warifu::Error(std::move(result).error())

// TRY(auto x, f()): x is f()'s value, or the function returns f()'s error. TRY_STATUS(f()): the same for a Status.
// The CO_ forms do so in a coroutine.
#define TRY(declaration, ...) WARIFU_TRY_(WARIFU_CONCAT(try_result_, __COUNTER__), declaration, (__VA_ARGS__), return )
#define TRY_STATUS(...) WARIFU_TRY_STATUS_(WARIFU_CONCAT(try_result_, __COUNTER__), (__VA_ARGS__), return )
#define CO_TRY(declaration, ...) \
  WARIFU_TRY_(WARIFU_CONCAT(try_result_, __COUNTER__), declaration, (__VA_ARGS__), co_return )
#define CO_TRY_STATUS(...) WARIFU_TRY_STATUS_(WARIFU_CONCAT(try_result_, __COUNTER__), (__VA_ARGS__), co_return )
