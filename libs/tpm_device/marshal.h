#pragma once

#include <tss2/tss2_esys.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

// Between our bytes and the structs of tpm2-tss.
namespace warifu::tpm_device {

struct EsysFree {
  void operator()(void* memory) const { Esys_Free(memory); }
};
// What ESYS allocated for an answer.
template <class T>
using EsysPtr = std::unique_ptr<T, EsysFree>;

// A struct that had a secret in it, wiped when it goes.
template <class T>
struct Wiped {
  T value{};
  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { wipe({reinterpret_cast<std::uint8_t*>(&value), sizeof value}); }
};

// `bytes` into a TPM2B whose buffer is `field`. kInvalidInput "tpm.size" when it does not fit; `what` names it.
template <class Sized, class Array>
Status fill(Sized& out, Array Sized::*field, ByteView bytes, std::string_view what) {
  if (bytes.size() > sizeof(out.*field)) {
    return invalid_input("tpm.size", std::string(what) + ": expected at most " + std::to_string(sizeof(out.*field)) +
                                         " bytes, " + std::to_string(bytes.size()) + " came");
  }
  out.size = static_cast<UINT16>(bytes.size());
  std::ranges::copy(bytes, std::begin(out.*field));
  return {};
}

// The bytes of a TPM2B that ESYS gave.
template <class Sized, class Array>
ByteView content(const Sized& in, Array Sized::*field) {
  return ByteView(in.*field, std::min<std::size_t>(in.size, sizeof(in.*field)));
}

// The same for a secret: the struct is wiped.
template <class Sized, class Array>
SecretBytes take_secret(Sized& in, Array Sized::*field) {
  SecretBytes out = SecretBytes::copy_of(content(in, field));
  wipe({in.*field, sizeof(in.*field)});
  return out;
}

// From and to the bytes of TPM2B_PUBLIC and TPM2B_PRIVATE. "tpm.public.size", "tpm.private.size".
Result<TPM2B_PUBLIC> to_public(ByteView tpm2b);
Result<Bytes> from_public(const TPM2B_PUBLIC& area);
Result<TPM2B_PRIVATE> to_private(ByteView tpm2b);
Bytes from_private(const TPM2B_PRIVATE& area);

}  // namespace warifu::tpm_device
