#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/private_key.h"
#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/revocation_list.h"
#include "wire/der.h"

// Authorities and EK certificates of our own for tests, written byte by byte so that anything can be wrong in them.
namespace warifu::endorsement::test {

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts)
    for (const std::uint8_t byte : part)
      out.push_back(byte);
  return out;
}
inline Bytes tlv(std::uint8_t tag, const Bytes& content) {
  const std::size_t size = content.size();
  const auto octet = [size](unsigned shift) { return static_cast<std::uint8_t>(size >> shift); };
  if (size < 0x80) return joined({Bytes{tag, octet(0)}, content});
  if (size < 0x100) return joined({Bytes{tag, 0x81, octet(0)}, content});
  if (size < 0x10000) return joined({Bytes{tag, 0x82, octet(8), octet(0)}, content});
  return joined({Bytes{tag, 0x83, octet(16), octet(8), octet(0)}, content});
}
inline Bytes hex(std::string_view text) {
  return from_hex(text).value();
}
inline Bytes attribute(std::string_view oid_hex, std::string_view value) {
  return tlv(0x31, tlv(0x30, joined({tlv(0x06, hex(oid_hex)), tlv(0x0C, to_bytes(as_bytes(value)))})));
}
inline Bytes name(std::string_view organization, std::string_view common_name) {
  return tlv(0x30, joined({attribute("55040a", organization), attribute("550403", common_name)}));
}
inline Bytes extension(std::string_view oid_hex, bool is_critical, const Bytes& value) {
  return tlv(0x30, joined({tlv(0x06, hex(oid_hex)), is_critical ? hex("0101ff") : Bytes{}, tlv(0x04, value)}));
}
inline Bytes time(std::string_view text) {
  return tlv(0x18, to_bytes(as_bytes(text)));
}

// ecdsa-with-SHA256.
inline Bytes algorithm() {
  return hex("300a06082a8648ce3d040302");
}
inline Bytes signed_by(const crypto::PrivateKey& key, const Bytes& tbs, const Bytes& outer_algorithm = algorithm()) {
  return tlv(0x30, joined({tbs, outer_algorithm, tlv(0x03, joined({Bytes{0}, key.sign(tbs)}))}));
}

struct Template {
  Bytes issuer;
  Bytes subject = hex("3000");
  std::uint8_t serial = 1;
  std::string not_before = "20200101000000Z";
  std::string not_after = "20400101000000Z";
  std::optional<Bytes> basic_constraints = hex("30030101ff");  // CA:TRUE
  Bytes key_usage = hex("03020106");                           // keyCertSign, cRLSign
  bool is_ek = false;
  std::string manufacturer = "id:49465800";
  Bytes more_extensions = {};
  Bytes outer_algorithm = algorithm();
  std::optional<Bytes> spki = {};  // instead of the subject's
};

inline Bytes certificate(const Template& from, const crypto::PrivateKey& subject, const crypto::PrivateKey& issuer) {
  Bytes extensions = joined({from.basic_constraints ? extension("551d13", true, *from.basic_constraints) : Bytes{},
                             extension("551d0f", true, from.key_usage), from.more_extensions});
  if (from.is_ek) {
    const Bytes tpm = tlv(0x30, joined({attribute("6781050201", from.manufacturer), attribute("6781050202", "TestTPM"),
                                        attribute("6781050203", "id:0001")}));
    extensions = joined({extensions, extension("551d25", false, tlv(0x30, hex("06056781050801"))),
                         extension("551d11", true, tlv(0x30, tlv(0xA4, tpm)))});
  }
  const Bytes tbs =
      tlv(0x30, joined({hex("a003020102"), Bytes{0x02, 0x01, from.serial}, algorithm(), from.issuer,
                        tlv(0x30, joined({time(from.not_before), time(from.not_after)})), from.subject,
                        from.spki ? *from.spki : subject.public_key().spki(), tlv(0xA3, tlv(0x30, extensions))}));
  return signed_by(issuer, tbs, from.outer_algorithm);
}

inline Template ek_template(Bytes issuer) {
  return {.issuer = std::move(issuer), .basic_constraints = hex("3000"), .key_usage = hex("03020308"), .is_ek = true};
}

inline Bytes crl(const Bytes& issuer, const crypto::PrivateKey& key, std::uint8_t serial, std::string_view next_update,
                 const Bytes& extensions = {}) {
  const Bytes entry = tlv(0x30, joined({Bytes{0x02, 0x01, serial}, time("20230101000000Z")}));
  return signed_by(
      key, tlv(0x30, joined({hex("020101"), algorithm(), issuer, time("20230101000000Z"), time(next_update),
                             tlv(0x30, entry), extensions.empty() ? Bytes{} : tlv(0xA0, tlv(0x30, extensions))})));
}

}  // namespace warifu::endorsement::test
