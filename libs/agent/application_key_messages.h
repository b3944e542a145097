#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

// The bodies of docs/protocols/application-keys.md from the device's side. What the server says is bounded and checked:
// kRefused "server.reply", `where` is the field.
namespace warifu::agent {

struct ApplicationKeyVersion {
  std::string name;
  std::uint32_t version = 0;
  friend bool operator==(const ApplicationKeyVersion&, const ApplicationKeyVersion&) = default;
};

// What the device has, and the digest (base64) of what it was told last; empty: nothing.
std::string held_keys_body(const std::vector<ApplicationKeyVersion>& held, const std::string& digest);

enum class ApplicationKeyState : std::uint8_t { kPending, kActive, kRevoked };
struct ToldApplicationKey {
  ApplicationKeyVersion key;
  ApplicationKeyState state = ApplicationKeyState::kPending;
  std::uint8_t capped_by_pcr = 0;  // 0: none
};
struct ToldApplicationKeys {
  std::string digest;  // base64
  // nullopt: what the device knows.
  std::optional<std::vector<ToldApplicationKey>> keys;
};
Result<ToldApplicationKeys> parse_told_keys(std::string_view body);

struct ApplicationKeyDelivery {
  const ApplicationKeyVersion& key;
  const Bytes& ek_public;
  const Bytes& srk_public;
};
std::string delivery_body(const ApplicationKeyDelivery& delivery);
// The authentication_key.
Result<Bytes> parse_delivery(std::string_view body);

Result<Bytes> parse_application_key_nonce(std::string_view body);
std::string acknowledgement_body(const ApplicationKeyVersion& key, const Bytes& nonce, const Bytes& mac);
std::string forgotten_body(const ApplicationKeyVersion& key);

}  // namespace warifu::agent
