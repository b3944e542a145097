#include "agent/server_reply.h"

#include <fmt/format.h>

#include "tcb_protocol/limits.h"

namespace warifu::agent {

Error lie(std::string what, std::string where) {
  return refused("server.reply", "the server's answer makes no sense: " + std::move(what), std::move(where));
}

Result<boost::json::value> read_object(std::string_view body) {
  TRY(auto value, believed(wire::parse_json(body)));
  if (!value.is_object()) return lie("expected an object");
  return value;
}

Result<Bytes> reply_bytes(const wire::JsonFields& fields, std::string_view name, std::size_t size_max) {
  TRY(auto bytes, believed(fields.required_bytes(name)));
  if (bytes.empty() || bytes.size() > size_max)
    return lie(fmt::format("expected 1 to {} bytes, got {}", size_max, bytes.size()), fields.path_of(name));
  return bytes;
}

bool is_about_the_device(std::string_view code) {
  return code.starts_with("enrollment.") || code.starts_with("device.") || code.starts_with("registration.");
}

Result<std::vector<Bytes>> reply_certificates(const wire::JsonFields& fields, std::string_view name, std::size_t most) {
  TRY(const auto* array, believed(fields.required_array(name)));
  if (array->empty() || array->size() > most)
    return lie(fmt::format("expected 1 to {} certificates", most), fields.path_of(name));
  std::vector<Bytes> certificates;
  for (const auto& item : *array) {
    const auto where = fmt::format("{}[{}]", fields.path_of(name), certificates.size());
    if (!item.is_string()) return lie("expected a text", where);
    auto der = from_base64(item.get_string());
    if (!der || der->empty() || der->size() > tcb_protocol::kCertificateMax)
      return lie(fmt::format("expected base64 of 1 to {} bytes", tcb_protocol::kCertificateMax), where);
    certificates.push_back(*std::move(der));
  }
  return certificates;
}

}  // namespace warifu::agent
