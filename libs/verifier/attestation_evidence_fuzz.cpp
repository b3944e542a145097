#include <cstdlib>

#include "verifier/limits.h"
#include "verifier/submission.h"

// What is accepted has the bounds that the appraiser relies on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto parsed = verifier::parse_submission(as_text({data, size}));
  if (!parsed) {
    if (parsed.error().kind != ErrorKind::kInvalidInput) std::abort();
    return 0;
  }
  if (parsed->boot_id.size() > verifier::kBootIdSizeMax) std::abort();
  if (parsed->event_log && parsed->event_log_sha256.size() != 32) std::abort();
  const auto* primary = parsed->null_primary ? &*parsed->null_primary : nullptr;
  if (primary != nullptr && primary->recorded && primary->recorded->name.bytes().size() != 34) std::abort();
  return 0;
}
