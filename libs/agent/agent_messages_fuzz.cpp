#include <algorithm>
#include <cstdlib>

#include "agent/messages.h"

// What is accepted holds what messages.h promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const std::string_view body = as_text({data, size});
  const auto registration = RegistrationId::parse("meter-1").value();
  if (const auto key = agent::parse_challenge(body); key && *key && ((*key)->empty() || (*key)->size() > 4096))
    std::abort();
  if (const auto id = agent::parse_accepted(body); id && id->find_first_of("/?#% \\") != std::string::npos)
    std::abort();
  if (const auto operation = agent::parse_operation(body, registration))
    if (const auto* assignment = std::get_if<agent::Assignment>(&*operation))
      if (assignment->hub.empty() || assignment->hub.size() > 253 || assignment->authentication_key.empty())
        std::abort();
  if (const auto chain = agent::parse_escrow_chain(body); chain && (chain->empty() || chain->size() > 8)) std::abort();
  const auto error = agent::parse_server_error(body);
  for (const std::string& text : {error.code, error.message, error.tracking_id})
    if (text.size() > 512 || std::ranges::any_of(text, [](char c) { return c < ' ' || c > '~'; })) std::abort();
  return 0;
}
