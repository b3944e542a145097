#include "change_srk.h"

#include "tpm_device/ek_primary.h"

namespace warifu::bus {

Status change_srk(tpm_device::Device& device, ByteView tpm2b_template) {
  const auto evict = [&](ESYS_TR object) {
    return device.run(tpm_device::Protect::kAnswers, [&](ESYS_TR session) {
      ESYS_TR persistent = ESYS_TR_NONE;
      return device.check(Esys_EvictControl(device.esys(), ESYS_TR_RH_OWNER, object, session, ESYS_TR_NONE,
                                            ESYS_TR_NONE, tpm::kSrkHandle, &persistent),
                          "TPM2_EvictControl");
    });
  };
  TRY(const ESYS_TR before, device.srk());
  TRY_STATUS(evict(before));
  {
    TRY(const auto primary, tpm_device::create_primary(device, ESYS_TR_RH_OWNER, tpm2b_template));
    TRY_STATUS(evict(primary.get()));
  }
  device.forget();
  return {};
}

}  // namespace warifu::bus
