#pragma once

#include "crypto/cmp_asn1.h"
#include "crypto/cmp_message.h"

namespace warifu::crypto {

using CmpMsgHandle = Handle<OSSL_CMP_MSG, OSSL_CMP_MSG_free>;

// One message twice, from the same bytes: OpenSSL's own form, which it verifies the protection of, and one with fields
// that can be read. Only .cpp files of this library include it.
struct CmpMessage::Parsed {
  CmpMsgHandle native;
  asn1::ItemHandle<asn1::PkiMessage> fields;
  CmpHeader header;
  CmpBody body = CmpBody::kError;
  std::vector<Certificate> certificates;
};

inline ByteView asn1_content(const ASN1_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

}  // namespace warifu::crypto
