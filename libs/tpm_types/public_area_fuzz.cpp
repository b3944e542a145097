#include <algorithm>
#include <cstdlib>

#include "tpm_types/duplicate.h"
#include "tpm_types/make_credential.h"
#include "tpm_types/storage_key.h"

namespace {

// The same each time, so that what was found is found again. As a scalar it is below the order of both curves.
class SameBytes final : public warifu::Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{0x5A}); }
};

template <class Parsed>
void expect_same_bytes(const warifu::Result<Parsed>& parsed, warifu::ByteView input) {
  if (parsed && !std::ranges::equal(parsed->tpm2b(), input)) std::abort();
}

// What the server computes for a key that was accepted never fails, whatever its hash, AES size and numbers are.
void expect_usable(const warifu::tpm::EkPublic& ek) {
  using namespace warifu;
  SameBytes entropy;
  if (!tpm::make_credential(ek, ek.name(), SecretBytes(16), entropy)) std::abort();
}
void expect_usable(const warifu::tpm::SrkPublic& srk) {
  using namespace warifu;
  SameBytes entropy;
  const auto object = tpm::make_hmac_object(SecretBytes(32), entropy);
  const auto duplicate = tpm::make_duplicate(srk, *object, SecretBytes(16), entropy);
  if (!duplicate) std::abort();
  const std::size_t integrity = 2 + crypto::digest_size(srk.protector().hash);
  if (duplicate->private_area.size() != integrity + tpm::inner_wrap(*object, SecretBytes(16)).size()) std::abort();
  const auto* point = std::get_if<crypto::EcPublicKey>(&srk.protector().key);
  const std::size_t seed = point != nullptr ? 2 * (2 + point->x().size()) : srk.area().unique().size();
  if (duplicate->encrypted_seed.size() != seed) std::abort();
}

}  // namespace

// Parse, write, equal bytes; what EkPublic and SrkPublic accept, PublicArea accepted too, and it is good for its
// purpose.
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
  if (ek) expect_usable(*ek);
  if (srk) expect_usable(*srk);
  const auto any = tpm::PublicArea::from_any(input);
  if (any && !std::ranges::equal(any->tpm2b(), input) && !std::ranges::equal(any->tpmt(), input)) std::abort();
  return 0;
}
