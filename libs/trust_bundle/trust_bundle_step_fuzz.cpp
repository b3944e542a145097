#include <algorithm>
#include <cstdlib>

#include "trust_bundle/payload_reader.h"
#include "trust_bundle/step.h"
#include "trust_bundle/trusted_bundle.h"

namespace {

using namespace warifu;
using namespace warifu::trust_bundle;

// What a bundle says but for what the revocation keys may change alone.
std::string without_revocations(const Contents& contents) {
  auto rest = contents.clone();
  rest.version = 1;
  rest.issued_at = Timestamp();
  rest.revoked.clear();
  return write_contents(rest);
}

void check_step(const Payload& current, const Payload& next) {
  const auto demands = judge_step(current.contents(), next.contents());
  if (!demands) return;
  if (!demands->signing && !demands->revocation) std::abort();
  if (!demands->signing && without_revocations(current.contents()) != without_revocations(next.contents()))
    std::abort();
  if (!demands->revocation && current.contents().revoked.size() != next.contents().revoked.size()) std::abort();
  for (const Revoked& entry : current.contents().revoked)
    if (std::ranges::find(next.contents().revoked, entry) == next.contents().revoked.end()) std::abort();
}

}  // namespace

// Two payloads, the first behind a 16-bit size. Nobody signs here, so nothing may follow a bundle that is believed but
// itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView rest(data + 2, size - 2);
  const std::size_t first_size = std::min(static_cast<std::size_t>(data[0]) << 8 | data[1], rest.size());
  const auto current = Payload::parse(rest.first(first_size));
  const auto next = Payload::parse(rest.subspan(first_size));
  if (!current || !next) return 0;
  check_step(*current, *next);
  const auto bundle = TrustedBundle::resume(Envelope::of(*current), current->digest());
  if (!bundle) return 0;
  const auto advanced = bundle->advance(Envelope::of(*next));
  if (advanced && (*advanced || current->bytes() != next->bytes())) std::abort();
  return 0;
}
