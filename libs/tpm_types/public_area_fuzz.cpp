#include <algorithm>
#include <cstdlib>

#include "tpm_types/storage_key.h"

namespace {

template <class Parsed>
void expect_same_bytes(const warifu::Result<Parsed>& parsed, warifu::ByteView input) {
  if (parsed && !std::ranges::equal(parsed->tpm2b(), input)) std::abort();
}

}  // namespace

// Parse, write, equal bytes; and what EkPublic and SrkPublic accept, PublicArea accepted too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  const auto area = tpm::PublicArea::from_tpm2b(input);
  expect_same_bytes(area, input);
  const auto ek = tpm::EkPublic::from_tpm2b(input);
  expect_same_bytes(ek, input);
  const auto srk = tpm::SrkPublic::from_tpm2b(input);
  expect_same_bytes(srk, input);
  if ((ek || srk) && !area) std::abort();
  const auto any = tpm::PublicArea::from_any(input);
  if (any && !std::ranges::equal(any->tpm2b(), input) && !std::ranges::equal(any->tpmt(), input)) std::abort();
  return 0;
}
