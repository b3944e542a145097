#include "front/api/application_key_messages.h"
#include "front/device/application_key_messages.h"

namespace {

using namespace warifu::front;

template <class Parsed>
void ignore(const Parsed&) {
}

// No version is none, and no name is a path.
void expect_named(const warifu::application_keys::KeyVersion& key) {
  if (key.version == 0 || key.name.text().find('/') != std::string::npos) __builtin_trap();
}

}  // namespace

// What devices and operators send about keys of applications.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = warifu::as_text({data, size});
  if (const auto held = device::parse_held_keys_request(body))
    for (const auto& key : held->held)
      expect_named(key);
  if (const auto delivery = device::parse_delivery_request(body)) expect_named(delivery->key);
  if (const auto acknowledgement = device::parse_acknowledgement_request(body)) expect_named(acknowledgement->key);
  if (const auto forgotten = device::parse_forgotten_request(body)) expect_named(*forgotten);
  ignore(api::parse_application_key(body));
  ignore(api::parse_rotation(body));
  return 0;
}
