#include <cstdlib>

#include "tpm_types/authentication_key_parts.h"
#include "tpm_types/command_table.h"

namespace {

using namespace warifu;

std::size_t length_of(const tpm::CommandSession& session) {
  return 4 + 2 + session.nonce.size() + 1 + 2 + session.authorization.size();
}
std::size_t length_of(const tpm::ResponseSession& session) {
  return 2 + session.nonce.size() + 1 + 2 + session.authorization.size();
}

template <class Parsed>
void expect_whole(const Parsed& parsed, std::size_t fixed, std::size_t size) {
  std::size_t sum = fixed + 4 * parsed.handles.size() + parsed.parameters.size();
  for (const auto& session : parsed.sessions)
    sum += length_of(session);
  if (sum != size) std::abort();
}

}  // namespace

// The first byte says how many handles; what is accepted accounts for every byte, and a command that the guard sends
// has the protection that its row demands.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t handles = data[0] % 4;
  const ByteView input(data + 1, size - 1);
  if (const auto command = tpm::parse_command(input, handles))
    expect_whole(*command, command->header.tag == tpm::kWithSessions ? 14 : 10, input.size());
  if (const auto response = tpm::parse_response(input, handles))
    expect_whole(*response, response->code == 0 && response->tag == tpm::kWithSessions ? 14 : 10, input.size());
  const auto table = tpm::CommandTable::production();
  if (tpm::check_command(table, input)) {
    const tpm::CommandRule* rule = table.find(tpm::parse_command_header(input)->code);
    const auto command = tpm::parse_command(input, rule->handles);
    for (const auto& session : command->sessions) {
      if (session.is_password() && !session.authorization.empty()) std::abort();
    }
    if (rule->response == tpm::ResponseRule::kEncrypted && command->sessions.empty()) std::abort();
  }
  if (const auto parts = tpm::AuthenticationKeyParts::parse(input)) {
    if (parts->object.attributes().bits() != 0x00040440) std::abort();
  }
  return 0;
}
