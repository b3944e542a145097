#include <cstdlib>

#include "tpm_types/attest.h"

namespace {

// What was parsed, written again. A selection's own length is not kept: the caller compares what it must give.
std::size_t size_of(const warifu::tpm::QuoteAttest& quote, std::size_t selection_bytes) {
  constexpr std::size_t kFixed = 4 + 2 + 2 + 2 + 8 + 4 + 4 + 1 + 8 + 4 + 2;
  return kFixed + quote.qualified_signer.size() + quote.extra_data.size() + selection_bytes + quote.pcr_digest.size();
}

// Both have one beginning, and what is one is never the other.
void parse_certified(warifu::ByteView bytes, bool is_quote) {
  const auto certified = warifu::tpm::CertifyAttest::parse(bytes);
  if (!certified) {
    if (certified.error().kind != warifu::ErrorKind::kInvalidInput || certified.error().where.empty()) std::abort();
    return;
  }
  constexpr std::size_t kFixed = 4 + 2 + 2 + 2 + 8 + 4 + 4 + 1 + 8 + 2 + 2;
  const std::size_t size = kFixed + certified->qualified_signer.size() + certified->extra_data.size() +
                           certified->name.size() + certified->qualified_name.size();
  if (is_quote || size != bytes.size()) std::abort();
}

void parse_creation_data(warifu::ByteView bytes) {
  const auto data = warifu::tpm::CreationData::parse(bytes);
  if (!data) {
    if (data.error().kind != warifu::ErrorKind::kInvalidInput || data.error().where.empty()) std::abort();
    return;
  }
  const std::size_t size = 4 + 2 + 1 + 2 + 2 + 2 + 2 + data->pcr_digest.size() + data->parent_name.size() +
                           data->parent_qualified_name.size() + data->outside_info.size();
  if (bytes.size() < size + data->selections.size() * 4 || bytes.size() > size + data->selections.size() * 7)
    std::abort();
}

}  // namespace

// What is accepted has no byte that belongs to nothing, and bounds that callers rely on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto quote = tpm::QuoteAttest::parse(ByteView(data, size));
  parse_certified(ByteView(data, size), quote.has_value());
  parse_creation_data(ByteView(data, size));
  if (!quote) {
    if (quote.error().kind != ErrorKind::kInvalidInput || quote.error().where.empty()) std::abort();
    return 0;
  }
  const std::size_t least = size_of(*quote, quote->selections.size() * 4);
  const std::size_t most = size_of(*quote, quote->selections.size() * 7);
  if (size < least || size > most) std::abort();
  if (quote->selections.size() > 16 || quote->pcr_digest.size() > crypto::kMaxDigestSize) std::abort();
  return 0;
}
