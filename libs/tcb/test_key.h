#pragma once

#include <algorithm>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/digest_signature.h"
#include "crypto/ec.h"
#include "crypto/private_key.h"
#include "tpm_types/public_area.h"
#include "tpm_types/signature.h"
#include "tpm_types/templates.h"
#include "wire/writer.h"

namespace warifu::tcb {

// A signing key on P-256 of a TPM in software, made from a template.
struct TestKey {
  TestKey(const Bytes& tpm2b_template, int cleared)
      : key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256)), clears(cleared) {
    const auto area = tpm::PublicArea::from_tpm2b(tpm2b_template);
    const auto point = crypto::ec_public_key(key.public_key());
    // The coordinates stand at the end, each with its size.
    const std::size_t end = 4 + area->unique().size() + area->unique_y().size();
    const Bytes tpmt = wire::Writer()
                           .bytes(area->tpmt().first(area->tpmt().size() - end))
                           .sized16(point->x())
                           .sized16(point->y())
                           .take();
    public_area = wire::Writer().sized16(tpmt).take();
  }

  // TPMT_SIGNATURE.
  Bytes sign(const crypto::Digest& digest) const {
    const Bytes der = crypto::sign_digest(crypto::Signer(key), digest).value();
    const auto numbers = tpm::parse_ecdsa_der(der);
    return wire::Writer().u16(0x0018).u16(0x000B).sized16(numbers->r).sized16(numbers->s).take();
  }
  Bytes name() const { return to_bytes(tpm::PublicArea::from_tpm2b(public_area)->name().bytes()); }

  crypto::PrivateKey key;
  int clears;
  Bytes public_area;  // TPM2B_PUBLIC
};

}  // namespace warifu::tcb
