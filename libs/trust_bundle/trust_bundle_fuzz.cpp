#include <cstdlib>

#include "trust_bundle/envelope.h"

// An envelope, and what is in it. What was read is written and read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  using namespace warifu::trust_bundle;
  const auto envelope = Envelope::parse(as_text(ByteView(data, size)));
  // The payload itself, too: base64 hides it from the fuzzer.
  const auto payload = Payload::parse(envelope ? ByteView(envelope->payload()) : ByteView(data, size));
  if (envelope) {
    const auto again = Envelope::parse(envelope->to_json());
    if (!again || again->to_json() != envelope->to_json() || again->payload() != envelope->payload()) std::abort();
  }
  if (!payload) return 0;
  const auto again = Payload::write(payload->contents());
  if (!again || again->contents().roles != payload->contents().roles ||
      again->contents().revoked != payload->contents().revoked ||
      again->contents().signing != payload->contents().signing ||
      again->contents().version != payload->contents().version)
    std::abort();
  return 0;
}
