#include "agent/attestation_messages.h"

#include <algorithm>
#include <cstdlib>

#include "agent/attestation_state.h"

// What is accepted holds what attestation_messages.h promises, and what is kept is read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const std::string_view body = as_text({data, size});
  if (const auto challenge = agent::parse_attestation_challenge(body))
    if (challenge->id_object.size() > 132 || challenge->encrypted_secret.size() > 514) std::abort();
  if (const auto token = agent::parse_attestation_token(body))
    if (token->token.empty() || token->token.find_first_of("\r\n ") != std::string::npos) std::abort();
  if (const auto nonce = agent::parse_attestation_nonce(body)) {
    if (nonce->nonce.empty() || nonce->nonce.size() > 64) std::abort();
    for (const auto* pcrs : {&nonce->registers.sha1, &nonce->registers.sha256, &nonce->registers.sha512})
      if (!std::ranges::is_sorted(*pcrs) || (!pcrs->empty() && pcrs->back() > 23)) std::abort();
  }
  if (const auto result = agent::parse_attestation_result(body))
    if (result->next_after.count() < 10 || result->layers.size() > 32) std::abort();
  if (const auto last = agent::parse_last_attestation(body)) {
    const auto again = agent::parse_last_attestation(agent::to_json(*last));
    if (!again || !again->result.is_same_judgement(last->result)) std::abort();
  }
  return 0;
}
