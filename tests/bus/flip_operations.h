#pragma once

#include <vector>

#include "crypto/system_entropy.h"
#include "flip_bench.h"

namespace warifu::bus {

// What a device does with its TPM, one thing at a time, each with the commands whose answers are changed in it: the
// shortest operation in which a command occurs.
class FlipOperations {
 public:
  // Of a device whose EK is persistent.
  std::vector<Operation> of_a_start();
  // Of one that makes its EK for each session, of the high range.
  std::vector<Operation> of_activation();
  // The same commands where the owner has an ECC storage root key.
  std::vector<Operation> of_import_under_ecc();
  std::vector<Operation> of_keys();
  std::vector<Operation> of_attestation();
  std::vector<Operation> of_care();  // with NV, PCRs and the clock; at the end it is cleared

 private:
  Operation start();
  Operation make_ek();
  Operation draw_random();
  Operation compute_hmac();
  Operation compute_capped_hmac();
  Operation unseal();
  Operation create();
  Operation assert_pcrs();
  Operation activate();
  Operation import_under_ecc();
  Operation read_keys();
  Operation make_srk();
  Operation verify_signature();
  Operation own();
  Operation reset_lockout();
  Operation clear();
  Operation shut_down();
  std::vector<Operation> with_nv();
  std::vector<Operation> look_around();

  Status prepare_challenge(tpm_device::TcbTpm& tpm, Bytes& challenge);

  crypto::SystemEntropy entropy_;
  const SecretBytes secret_ = SecretBytes::random(entropy_, 32);
  const Bytes message_ = Bytes(40, 0x5A);
};

}  // namespace warifu::bus
