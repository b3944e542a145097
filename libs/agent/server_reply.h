#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/json.h"

// What the readers of the server's answers share. Only .cpp files of this library include it.
namespace warifu::agent {

// "server.reply": an answer that no server of ours would give.
Error lie(std::string what, std::string where = {});

// What a reader of JSON says, as what it means here.
template <class T>
Result<T> believed(Result<T> read) {
  if (read) return read;
  return lie(std::move(read.error().message), std::move(read.error().where));
}

// An answer that is an object.
Result<boost::json::value> read_object(std::string_view body);
// Base64 of 1 to size_max bytes.
Result<Bytes> reply_bytes(const wire::JsonFields& fields, std::string_view name, std::size_t size_max);
// A route that says nothing about the device: with it the TCB judges the server.
inline constexpr const char* kGreetingPath = "/api/v1/device/escrow-certificate";
// A 404 of a server that knows an API says which of its things is not there: whether that is this device.
bool is_about_the_device(std::string_view code);

// An array of 1 to `most` certificates: base64 of DER, at most kCertificateMax bytes each.
Result<std::vector<Bytes>> reply_certificates(const wire::JsonFields& fields, std::string_view name, std::size_t most);

}  // namespace warifu::agent
