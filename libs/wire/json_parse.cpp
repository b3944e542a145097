#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "wire/json.h"

namespace warifu::wire {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// Builds the value as Boost's own parser does, and refuses in passing what that one lets through: a second member of
// the same name, and a whole number that would silently become a double.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  json::value take() { return stack_.release(); }
  std::string_view code() const { return code_; }
  const std::string& message() const { return message_; }

  bool on_document_begin(error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t size, error_code&) {
    keys_.pop_back();
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t size, error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    key_ += part;
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code& error) {
    key_ += part;
    stack_.push_key(part);
    const bool is_new = keys_.back().insert(key_).second;
    if (!is_new) return refuse(error, "json.duplicate-key", fmt::format("the key \"{}\" stands here twice", key_));
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view part, error_code&) {
    number_ += part;
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, error_code&) {
    number_.clear();
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, error_code&) {
    number_.clear();
    stack_.push_uint64(value);
    return true;
  }
  bool on_double(double value, json::string_view part, error_code& error) {
    number_ += part;
    const bool is_whole = number_.find_first_of(".eE") == std::string::npos;
    if (is_whole || !std::isfinite(value))
      return refuse(error, "json.number-range", fmt::format("no type holds the number {:.40}", number_));
    number_.clear();
    stack_.push_double(value);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  bool refuse(error_code& error, std::string_view code, std::string message) {
    code_ = code;
    message_ = std::move(message);
    error = json::error::syntax;
    return false;
  }

  json::value_stack stack_;
  std::vector<std::set<std::string>> keys_;  // of every object that is still open
  std::string key_;
  std::string number_;
  std::string_view code_;
  std::string message_;
};

Error refusal(const StrictHandler& handler, const error_code& error, std::size_t offset) {
  std::string where = fmt::format("offset {}", offset);
  if (!handler.code().empty()) return invalid_input(handler.code(), handler.message(), std::move(where));
  if (error == json::error::too_deep)
    return invalid_input("json.too-deep", "objects and arrays are nested too deeply", std::move(where));
  if (error == json::error::exponent_overflow)
    return invalid_input("json.number-range", "no type holds this number", std::move(where));
  return invalid_input("json.syntax", error.message(), std::move(where));
}

}  // namespace

Result<json::value> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    return invalid_input("json.too-large",
                         fmt::format("expected at most {} bytes, {} came", limits.max_bytes, text.size()));
  }
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<StrictHandler> parser(options);
  error_code error;
  std::size_t offset = parser.write_some(false, text.data(), text.size(), error);
  if (!error && offset < text.size()) error = json::error::extra_data;
  if (error) return refusal(parser.handler(), error, offset);
  return parser.handler().take();
}

}  // namespace warifu::wire
