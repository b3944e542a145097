// The EK and the SRK of a Device.
#include <fmt/format.h>

#include "tpm_device/device.h"
#include "tpm_device/marshal.h"
#include "tpm_types/object_attributes.h"
#include "wire/reader.h"

namespace warifu::tpm_device {
namespace {

Error endorsement_auth_without_ek() {
  return {
      ErrorKind::kRefused, "tpm.ek.auth",
      "the endorsement hierarchy has an auth value, which would be readable on the bus without a session to the EK: "
      "the EK must be persistent at 0x81010001 (warifu-agent tpm own makes it so)"};
}

}  // namespace

// IESYS_RESOURCE as tpm2-tss 3.2.1 writes it: handle, TPM2B_NAME, type of the resource, and for a key its TPM2B_PUBLIC.
Result<Bytes> Device::public_area(ESYS_TR object) {
  constexpr std::uint32_t kKeyResource = 1;
  std::uint8_t* raw = nullptr;
  std::size_t size = 0;
  TRY_STATUS(check(Esys_TR_Serialize(esys_, object, &raw, &size), "Esys_TR_Serialize"));
  const EsysPtr<std::uint8_t> serialized(raw);
  wire::Reader reader({raw, size});
  TRY_STATUS(reader.u32("handle"));
  TRY_STATUS(reader.sized16("name"));
  TRY(const std::uint32_t type, reader.u32("type"));
  if (type != kKeyResource) return Error{ErrorKind::kInternal, "tpm.esys", "expected the number of a key"};
  return to_bytes({raw + reader.offset(), reader.remaining()});
}

// ownerAuth is empty by default, so whoever was on the bus may have put a key there whose private part they know: an
// imported one. It has not these attributes, for no TPM imports a key that has them (Part 3, TPM2_Import).
Status Device::expect_own_parent(ESYS_TR object) {
  constexpr std::uint32_t kWanted =
      tpm::kFixedTpm | tpm::kFixedParent | tpm::kSensitiveDataOrigin | tpm::kRestricted | tpm::kDecrypt;
  TRY(const Bytes area, public_area(object));
  TRY(const tpm::PublicArea parsed, tpm::PublicArea::from_tpm2b(area));
  if (parsed.attributes().has_all(kWanted)) return {};
  return Error{ErrorKind::kRefused, "tpm.srk.foreign",
               fmt::format("the key at 0x{:08x} was not made by this TPM to be a parent ({}): somebody put it there in "
                           "the place of the SRK. Clear the TPM, or evict that key",
                           tpm::kSrkHandle, to_string(parsed.attributes()))};
}

Result<std::optional<Handle>> Device::find_persistent(TPM2_HANDLE handle) {
  ESYS_TR object = ESYS_TR_NONE;
  const Status found =
      check(Esys_TR_FromTPMPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object), "TPM2_ReadPublic");
  if (found) return std::optional(Handle(*this, object, Handle::Kind::kStays));
  if (found.error().code == kHandleGone) return std::optional<Handle>();
  return found.error();
}

Status Device::expect_authentic(ESYS_TR object) {
  TRY(const Bytes believed, public_area(object));
  return run(Protect::kAnswers, [&](ESYS_TR session) -> Status {
    TPM2B_PUBLIC* raw = nullptr;
    TRY_STATUS(check(Esys_ReadPublic(esys_, object, session, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr, nullptr),
                     "TPM2_ReadPublic"));
    const EsysPtr<TPM2B_PUBLIC> area(raw);
    TRY(const Bytes authentic, from_public(*area));
    if (authentic == believed) return {};
    return Error{ErrorKind::kUnavailable, kBusAltered, "the public area of a key differs from what was read before"};
  });
}

Result<Handle> Device::create_primary(ESYS_TR hierarchy, ByteView tpm2b_template, ESYS_TR session) {
  TRY(const TPM2B_PUBLIC in, to_public(tpm2b_template));
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside_info{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  TRY_STATUS(check(Esys_CreatePrimary(esys_, hierarchy, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
                                      &outside_info, &no_pcrs, &handle, nullptr, nullptr, nullptr, nullptr),
                   "TPM2_CreatePrimary"));
  return Handle(*this, handle, Handle::Kind::kInSlot);
}

// Without a session there is no secret to give and nothing to believe: the Name is what decides (expect_ek).
Result<Handle> Device::make_ek(tpm::EkProfile profile) {
  const Bytes area = tpm::ek_template(profile);
  if (session_) {
    TRY(const ESYS_TR protected_session, session(Protect::kSecrets));
    return create_primary(ESYS_TR_RH_ENDORSEMENT, area, protected_session);
  }
  if (!options_.endorsement_auth.empty()) return endorsement_auth_without_ek();
  Result<Handle> made = create_primary(ESYS_TR_RH_ENDORSEMENT, area, ESYS_TR_PASSWORD);
  if (!made && made.error().code == kNotAuthorized) return endorsement_auth_without_ek();
  return made;
}

std::optional<tpm::Name> Device::expected_ek() const {
  if (options_.ek_name || !ek_) return options_.ek_name;
  return ek_->name();
}

Status Device::expect_ek(ESYS_TR ek) {
  TRY(const Bytes area, public_area(ek));
  TRY(tpm::EkPublic found, tpm::EkPublic::from_tpm2b(area));
  const std::optional<tpm::Name> expected = expected_ek();
  if (expected && *expected != found.name()) {
    return Error{ErrorKind::kRefused, "tpm.ek.swapped",
                 fmt::format("expected the EK with the Name {}, this TPM has {}: another TPM, or somebody on its bus",
                             expected->text(), found.name().text())};
  }
  ek_ = std::move(found);
  return {};
}

// The one that was pinned may have been persistent until somebody cleared the TPM, or put another key in its place. Its
// Name is all that is known of it, and each template is another key of the same TPM.
Result<Handle> Device::find_pinned_ek(const tpm::Name& name, Error swapped) {
  for (const tpm::EkProfileInfo& profile : tpm::ek_profiles()) {
    if (profile.profile == options_.ek_profile || profile.name_algorithm != name.algorithm()) continue;
    Result<Handle> made = make_ek(profile.profile);
    if (made && expect_ek(made->get())) return made;
    // A template that this TPM does not know.
    if (made || made.error().kind == ErrorKind::kRefused) continue;
    return made;
  }
  return swapped;
}

Result<Handle> Device::load_ek() {
  TRY_STATUS(restart_if_broken());
  const std::optional<tpm::Name> expected = expected_ek();
  TRY(std::optional<Handle> persistent, find_persistent(tpm::kEkHandle));
  if (persistent) {
    Status is_it = expect_ek(persistent->get());
    if (is_it) return *std::move(persistent);
    if (!expected) return std::move(is_it).error();
    // Another key, or an answer that was altered: that is told, and not mended in silence.
    TRY(const Bytes first, public_area(persistent->get()));
    persistent.reset();
    TRY(persistent, find_persistent(tpm::kEkHandle));
    TRY(const Bytes second, persistent ? public_area(persistent->get()) : Result<Bytes>(Bytes()));
    if (first != second)
      return Error{ErrorKind::kUnavailable, kBusAltered,
                   "the public area of the persistent EK differs at each reading"};
  }
  Status is_it;
  {
    TRY(Handle made, make_ek(options_.ek_profile));
    is_it = expect_ek(made.get());
    if (is_it) return made;
  }
  if (!expected) return std::move(is_it).error();
  return find_pinned_ek(*expected, std::move(is_it).error());
}

Result<tpm::EkPublic> Device::ek() {
  if (!ek_) TRY_STATUS(run(Protect::kAnswers, [](ESYS_TR) -> Status { return {}; }));
  return *ek_;
}

Status Device::make_srk() {
  TRY(const Handle primary, run(Protect::kSecrets, [&](ESYS_TR session) {
        return create_primary(ESYS_TR_RH_OWNER, tpm::srk_rsa_template(), session);
      }));
  return run(Protect::kSecrets, [&](ESYS_TR session) -> Status {
    ESYS_TR persistent = ESYS_TR_NONE;
    TRY_STATUS(check(Esys_EvictControl(esys_, ESYS_TR_RH_OWNER, primary.get(), session, ESYS_TR_NONE, ESYS_TR_NONE,
                                       tpm::kSrkHandle, &persistent),
                     "TPM2_EvictControl"));
    srk_.emplace(*this, persistent, Handle::Kind::kStays);
    return {};
  });
}

Result<ESYS_TR> Device::srk() {
  TRY_STATUS(restart_if_broken());
  if (srk_) return srk_->get();
  TRY_STATUS(session(Protect::kAnswers));  // which starts a TPM that nobody has started
  TRY(std::optional<Handle> found, find_persistent(tpm::kSrkHandle));
  if (found) {
    TRY_STATUS(expect_authentic(found->get()));
    TRY_STATUS(expect_own_parent(found->get()));
    srk_ = std::move(found);
  } else {
    TRY_STATUS(make_srk());
  }
  return srk_->get();
}

Result<tpm::SrkPublic> Device::srk_public() {
  TRY(const ESYS_TR key, srk());
  TRY(const Bytes area, public_area(key));
  return tpm::SrkPublic::from_tpm2b(area);
}

}  // namespace warifu::tpm_device
