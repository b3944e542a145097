#include "tpm_device/ek_primary.h"

#include <algorithm>

#include "tpm_device/marshal.h"

namespace warifu::tpm_device {
namespace {

// RSA takes a TPM seconds: keys of another type and size are not tried.
bool can_give(const tpm::EkProfileInfo& profile, const tpm::EkPublic& ek) {
  const auto area = tpm::PublicArea::from_tpm2b(tpm::ek_template(profile.profile));
  if (!area) return false;
  return area->name_algorithm() == ek.area().name_algorithm() && area->attributes() == ek.area().attributes() &&
         area->parameters().index() == ek.area().parameters().index();
}

Result<tpm::Name> name_of(Device& device, const Handle& object) {
  TRY(const Bytes area, device.public_area(object.get()));
  TRY(const tpm::PublicArea parsed, tpm::PublicArea::from_tpm2b(area));
  return parsed.name();
}

}  // namespace

Result<Handle> create_primary(Device& device, ESYS_TR hierarchy, ByteView tpm2b_template) {
  TRY(const TPM2B_PUBLIC in, to_public(tpm2b_template));
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<Handle> {
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside_info{};
    const TPML_PCR_SELECTION no_pcrs{};
    ESYS_TR number = ESYS_TR_NONE;
    TRY_STATUS(
        device.check(Esys_CreatePrimary(device.esys(), hierarchy, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
                                        &outside_info, &no_pcrs, &number, nullptr, nullptr, nullptr, nullptr),
                     "TPM2_CreatePrimary"));
    return Handle(device, number, Handle::Kind::kInSlot);
  });
}

Result<Handle> create_same_ek(Device& device, const tpm::Name& name) {
  TRY(const tpm::EkPublic ek, device.ek());
  for (const tpm::EkProfileInfo& profile : tpm::ek_profiles()) {
    if (!can_give(profile, ek)) continue;
    TRY(Handle primary, create_primary(device, ESYS_TR_RH_ENDORSEMENT, tpm::ek_template(profile.profile)));
    TRY(const tpm::Name made, name_of(device, primary));
    if (made == name) return primary;
  }
  return Error{ErrorKind::kNotFound, "tpm.ek.template", "no template that we know gives the EK of this TPM"};
}

}  // namespace warifu::tpm_device
