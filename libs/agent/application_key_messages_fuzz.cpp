#include "agent/application_key_messages.h"

// What a server says of keys: whatever it is, it is read within its bounds or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const std::string_view body = as_text(ByteView(data, size));
  const auto told = agent::parse_told_keys(body);
  if (told && told->keys)
    for (const auto& key : *told->keys)
      if (key.key.version == 0 || key.key.name.size() > 64) __builtin_trap();
  static_cast<void>(agent::parse_delivery(body));
  static_cast<void>(agent::parse_application_key_nonce(body));
  return 0;
}
