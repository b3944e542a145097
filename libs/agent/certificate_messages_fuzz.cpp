#include "agent/certificate_messages.h"

#include <algorithm>
#include <cstdlib>

// What is accepted holds what certificate_messages.h promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const std::string_view body = as_text({data, size});
  const auto is_plain = [](const std::string& text) {
    return !text.empty() && text.size() <= 40 && std::ranges::all_of(text, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
    });
  };
  if (const auto nonce = agent::parse_certificate_nonce(body))
    if (nonce->empty() || nonce->size() > 64) std::abort();
  if (const auto issued = agent::parse_issued_certificate(body)) {
    if (issued->chain.size() < 2 || issued->chain.size() > 4) std::abort();
    for (const Bytes& der : issued->chain)
      if (der.empty() || der.size() > 8192) std::abort();
    if (!is_plain(issued->standing.serial) || !is_plain(issued->standing.state)) std::abort();
    if (!agent::parse_certificate_standing(body)) std::abort();
  }
  return 0;
}
