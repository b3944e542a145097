#include <cstdlib>

#include "attestation/appraisal/policy_file.h"

// What is accepted names registers that a TPM has, and each event by one of digest and text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const std::string_view text = as_text(ByteView(data, size));
  const auto policy = attestation::parse_evidence_policy(text);
  if (policy) {
    for (const auto& [bank, index] : policy->registers)
      if (index > 23) std::abort();
    for (const attestation::RequiredEvent& event : policy->boot.events)
      if (event.pcr > 23 || event.digest.has_value() == event.text.has_value()) std::abort();
  }
  const auto places = attestation::parse_register_places(text);
  if (places && (places->empty() || places->size() > size * 24)) std::abort();
  return 0;
}
