#pragma once

#include <initializer_list>

#include "base/bytes.h"
#include "crypto/openssl_handle.h"

// DER by hand, where OpenSSL has no template for it. Only .cpp files of this library include it.
namespace warifu::crypto {

// Tag and length before a content of that size: V_ASN1_SEQUENCE and V_ASN1_SET are constructed, other universal types
// primitive. Context tags ([0], [1] ...) are constructed: explicit ones.
inline Bytes der_header(int tag, std::size_t content_size, int tag_class = V_ASN1_UNIVERSAL) {
  const bool constructed = tag_class != V_ASN1_UNIVERSAL || tag == V_ASN1_SEQUENCE || tag == V_ASN1_SET;
  const int size = to_int(content_size);
  const int whole = ASN1_object_size(constructed ? 1 : 0, size, tag);
  require(whole >= size, "ASN1_object_size");
  Bytes header(static_cast<std::size_t>(whole - size));
  std::uint8_t* end = header.data();
  ASN1_put_object(&end, constructed ? 1 : 0, size, tag, tag_class);
  return header;
}

inline Bytes der_value(int tag, std::initializer_list<ByteView> content, int tag_class = V_ASN1_UNIVERSAL) {
  std::size_t size = 0;
  for (const ByteView part : content)
    size += part.size();
  Bytes value = der_header(tag, size, tag_class);
  value.reserve(value.size() + size);
  for (const ByteView part : content)
    value.insert(value.end(), part.begin(), part.end());
  return value;
}

// Without unused bits.
inline Bytes der_bit_string(ByteView bits) {
  constexpr std::uint8_t kNoUnusedBits = 0;
  return der_value(V_ASN1_BIT_STRING, {ByteView(&kNoUnusedBits, 1), bits});
}

// An Extension (RFC 5280 §4.1) that is not critical; its OID as DER.
inline Bytes der_extension(ByteView oid, ByteView value) {
  return der_value(V_ASN1_SEQUENCE, {oid, der_value(V_ASN1_OCTET_STRING, {value})});
}

}  // namespace warifu::crypto
