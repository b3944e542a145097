#include <algorithm>
#include <cstdlib>

#include "tcb/tls_handshake.h"

namespace {

// One message after another; each header says how long its message is. The last one may be cut off.
std::vector<warifu::Bytes> split(warifu::ByteView input) {
  std::vector<warifu::Bytes> messages;
  while (!input.empty()) {
    std::size_t size = input.size();
    if (size >= 4) size = std::min(size, 4 + (std::size_t{input[1]} << 16 | std::size_t{input[2]} << 8 | input[3]));
    messages.push_back(warifu::to_bytes(input.first(size)));
    input = input.subspan(size);
  }
  return messages;
}

bool lies_within(warifu::ByteView part, const std::vector<warifu::Bytes>& messages) {
  return std::ranges::any_of(messages, [&](const warifu::Bytes& message) {
    return part.data() >= message.data() && part.data() + part.size() <= message.data() + message.size();
  });
}

}  // namespace

// What is accepted points into the messages, has a certificate, and each extension of the client once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto messages = split(ByteView(data, size));
  const auto client = tcb::parse_client_authentication(messages);
  if (client) {
    // What is signed is over more messages than the server's half, which is no client's.
    if (client->certificates.empty() || tcb::parse_tls_handshake(messages)) std::abort();
    for (const ByteView certificate : client->certificates)
      if (!lies_within(certificate, messages)) std::abort();
  }
  const auto handshake = tcb::parse_tls_handshake(messages);
  if (!handshake) return 0;
  if (handshake->certificates.empty() || !lies_within(handshake->signature, messages)) std::abort();
  for (const ByteView certificate : handshake->certificates)
    if (!lies_within(certificate, messages)) std::abort();
  for (const auto& extension : handshake->client_extensions) {
    const auto same = [&](const auto& other) { return other.type == extension.type; };
    if (std::ranges::count_if(handshake->client_extensions, same) != 1) std::abort();
    if (!lies_within(extension.data, messages)) std::abort();
  }
  return 0;
}
