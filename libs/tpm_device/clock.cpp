#include "tpm_device/clock.h"

#include "tpm_device/marshal.h"

namespace warifu::tpm_device {

Result<TpmClock> read_clock(Device& device) {
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<TpmClock> {
    TPMS_TIME_INFO* raw = nullptr;
    TRY_STATUS(
        device.check(Esys_ReadClock(device.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, &raw), "TPM2_ReadClock"));
    const EsysPtr<TPMS_TIME_INFO> info(raw);
    const TPMS_CLOCK_INFO& clock = info->clockInfo;
    return TpmClock{info->time, clock.clock, clock.resetCount, clock.restartCount, clock.safe == TPM2_YES};
  });
}

}  // namespace warifu::tpm_device
