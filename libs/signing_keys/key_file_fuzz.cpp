#include "base/bytes.h"
#include "signing_keys/key_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto file = signing_keys::KeyFile::parse(as_text(ByteView(data, size)));
  if (file && !signing_keys::KeyFile::parse(file->to_json())) __builtin_trap();
  return 0;
}
