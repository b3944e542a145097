#include <fmt/format.h>

#include "tcb_protocol/limits.h"
#include "warifu-agent/local_device.h"
#include "warifu-agent/output.h"

namespace warifu::agent_app {
namespace {

// Base64 and a line break.
constexpr std::size_t kSealedTextMax = tcb_protocol::kSealedMax * 4 / 3 + 8;

}  // namespace

Status print_random(const Context& context, std::uint16_t size) {
  TRY(auto device, LocalDevice::open(context));
  TRY(const auto answer, device.ask(tcb_protocol::Random{size}));
  std::string hex = to_hex(answer.bytes.reveal());
  std::string line = context.json ? fmt::format("{{\"random\":\"{}\"}}\n", hex) : hex + "\n";
  wipe(hex);
  // Not through stdio, whose buffer keeps it.
  Status written = write_output("-", as_bytes(line));
  wipe(line);
  return written;
}

Status seal(const Context& context, const Files& files, const std::vector<std::uint8_t>& pcrs) {
  TRY(auto device, LocalDevice::open(context));
  TRY(auto secret, read_input(files.in, tcb_protocol::kSealedSecretMax));
  TRY(const auto answer, device.ask(tcb_protocol::Seal{std::move(secret), pcrs}));
  return write_output(files.out, as_bytes(to_base64(answer.sealed) + "\n"));
}

Status unseal(const Context& context, const Files& files) {
  TRY(auto device, LocalDevice::open(context));
  TRY(const auto text, read_input(files.in, kSealedTextMax));
  std::string_view base64 = as_text(text.reveal());
  while (base64.ends_with('\n') || base64.ends_with('\r'))
    base64.remove_suffix(1);
  TRY(auto sealed, from_base64(base64));
  TRY(const auto answer, device.ask(tcb_protocol::Unseal{std::move(sealed)}));
  return write_output(files.out, answer.secret.reveal());
}

}  // namespace warifu::agent_app
