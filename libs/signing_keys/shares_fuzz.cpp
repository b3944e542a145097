#include "base/bytes.h"
#include "signing_keys/shares.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto share = signing_keys::Share::parse(as_text(ByteView(data, size)));
  // What was read is written back as the same share.
  if (share && !signing_keys::Share::parse(as_text(share->to_text().reveal()))) __builtin_trap();
  return 0;
}
