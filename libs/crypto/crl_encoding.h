#pragma once

#include "crypto/crl.h"

// The parts of a CRL in DER. Only .cpp files of this library include it.
namespace warifu::crypto {

// "crypto.crl.issuer"
Status check_crl_issuer(const Certificate& issuer);
// "crypto.crl.shape"
Status check_crl_shape(const CrlShape& shape);

// What stands before and after the entries in a TBSCertList, with the header of the whole.
struct CrlFrame {
  Bytes before;
  Bytes after;
};
CrlFrame crl_frame(const Certificate& issuer, const CrlShape& shape);

// One entry: its size, and itself at the end of `out`.
std::size_t crl_entry_size(const RevokedCertificate& entry);
void append_crl_entry(const RevokedCertificate& entry, Bytes& out);

}  // namespace warifu::crypto
