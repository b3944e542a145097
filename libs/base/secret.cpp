#include "base/secret.h"

#include <cstring>

namespace warifu {

SecretBytes SecretBytes::copy_of(ByteView bytes) {
  return SecretBytes(to_bytes(bytes));
}

SecretBytes SecretBytes::random(Entropy& entropy, std::size_t size) {
  SecretBytes secret(size);
  entropy.fill(secret.bytes_);
  return secret;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this == &other) return *this;
  wipe(bytes_);
  bytes_ = std::move(other.bytes_);
  other.bytes_.clear();
  return *this;
}

SecretBytes::~SecretBytes() {
  wipe(bytes_);
}

void wipe(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) {
  if (!text.empty()) explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace warifu
