#include <cstdlib>

#include "crypto/certificate.h"
#include "front/revocation/glance.h"

// What OpenSSL takes for a certificate is no other one for us.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  const auto glance = front::revocation::Glance::of(input);
  if (!glance) return 0;
  for (const ByteView part : {glance->serial, glance->issuer, glance->subject})
    if (part.empty() || part.data() < data || part.data() + part.size() > data + size) std::abort();
  const auto certificate = crypto::Certificate::from_der(input);
  if (!certificate) return 0;
  // OpenSSL leaves out all zeros in front, of a negative number the sign.
  ByteView serial = glance->serial;
  if ((serial.front() & 0x80) != 0) return 0;
  while (!serial.empty() && serial.front() == 0)
    serial = serial.subspan(1);
  if (!std::ranges::equal(serial, certificate->serial())) std::abort();
  return 0;
}
