#include <algorithm>
#include <cstdlib>

#include "tpm_types/algorithm.h"
#include "tpm_types/signature.h"
#include "wire/writer.h"

namespace {

warifu::Bytes tpmt_of(const warifu::tpm::Signature& signature) {
  using namespace warifu;
  wire::Writer out;
  const auto id = [](tpm::AlgorithmId algorithm) { return static_cast<std::uint16_t>(algorithm); };
  if (const auto* ecdsa = std::get_if<tpm::EcdsaSignature>(&signature)) {
    out.u16(id(tpm::AlgorithmId::kEcdsa)).u16(id(tpm::algorithm_of(ecdsa->hash)));
    return out.sized16(ecdsa->r).sized16(ecdsa->s).take();
  }
  const auto& rsa = std::get<tpm::RsaSignature>(signature);
  out.u16(id(rsa.scheme == tpm::RsaScheme::kRsaSsa ? tpm::AlgorithmId::kRsaSsa : tpm::AlgorithmId::kRsaPss));
  return out.u16(id(tpm::algorithm_of(rsa.hash))).sized16(rsa.value).take();
}

void write_element(warifu::Bytes& out, std::uint8_t tag, warifu::ByteView content) {
  out.push_back(tag);
  if (content.size() >= 0x80) out.push_back(0x81);
  out.push_back(static_cast<std::uint8_t>(content.size()));
  out.insert(out.end(), content.begin(), content.end());
}

warifu::Bytes der_of(const warifu::tpm::EcdsaNumbers& numbers) {
  using namespace warifu;
  Bytes both;
  for (const ByteView number : {numbers.r, numbers.s}) {
    Bytes content = to_bytes(number);
    if (content[0] >= 0x80) content.insert(content.begin(), 0);
    write_element(both, 0x02, content);
  }
  Bytes out;
  write_element(out, 0x30, both);
  return out;
}

}  // namespace

// Parse, write, equal bytes: no signature has two forms.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  const auto signature = tpm::parse_signature(input);
  if (signature && !std::ranges::equal(tpmt_of(*signature), input)) std::abort();
  if (signature && !tpm::is_tpmt_signature(input)) std::abort();
  const auto numbers = tpm::parse_ecdsa_der(input);
  if (numbers && !std::ranges::equal(der_of(*numbers), input)) std::abort();
  return 0;
}
