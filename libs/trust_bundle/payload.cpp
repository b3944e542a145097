#include "trust_bundle/payload.h"

#include "trust_bundle/payload_reader.h"

namespace warifu::trust_bundle {

Result<Payload> Payload::parse(ByteView bytes) {
  TRY(auto contents, read_contents(bytes));
  TRY_STATUS(check_keys_apart(contents));
  return Payload(to_bytes(bytes), std::move(contents));
}

Result<Payload> Payload::write(const Contents& contents) {
  return parse(as_bytes(write_contents(contents)));
}

}  // namespace warifu::trust_bundle
