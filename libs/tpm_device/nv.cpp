#include "tpm_device/nv.h"

#include <fmt/format.h>
#include <tss2/tss2_mu.h>

#include <algorithm>

#include "tpm_device/capability.h"
#include "tpm_device/marshal.h"
#include "wire/reader.h"

namespace warifu::tpm_device {
namespace {

Result<tpm::NvPublic> from_esys(const TPM2B_NV_PUBLIC& in) {
  Bytes bytes(sizeof in);
  std::size_t size = 0;
  if (Tss2_MU_TPMS_NV_PUBLIC_Marshal(&in.nvPublic, bytes.data(), bytes.size(), &size) != TSS2_RC_SUCCESS)
    return invalid_input("tpm.nv.size", "expected an NV public area that can be written");
  return tpm::NvPublic::parse(ByteView(bytes).first(size));
}

Status expect_type(const NvIndex& index, std::uint32_t type, std::string_view what) {
  if ((index.area.attributes & tpm::kNvTypeMask) == type) return {};
  return Error{ErrorKind::kConflict, "tpm.nv.type",
               fmt::format("expected NV index 0x{:08x} to be {}, its attributes are 0x{:08x}", index.area.index, what,
                           index.area.attributes)};
}

Result<SecretBytes> read_piece(Device& device, const NvIndex& index, std::uint16_t offset, std::uint16_t size) {
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<SecretBytes> {
    TPM2B_MAX_NV_BUFFER* raw = nullptr;
    TRY_STATUS(device.check(Esys_NV_Read(device.esys(), index.reader(), index.handle.get(), session, ESYS_TR_NONE,
                                         ESYS_TR_NONE, size, offset, &raw),
                            "TPM2_NV_Read"));
    const EsysPtr<TPM2B_MAX_NV_BUFFER> piece(raw);
    if (piece->size == size) return take_secret(*piece, &TPM2B_MAX_NV_BUFFER::buffer);
    return Error{ErrorKind::kUnavailable, "tpm.nv.size",
                 fmt::format("expected {} bytes of NV index 0x{:08x}, {} came", size, index.area.index, piece->size)};
  });
}

Result<SecretBytes> read_all(Device& device, const NvIndex& index) {
  TRY(const std::uint32_t at_once, read_property(device, kPtNvBufferMax));
  SecretBytes out(index.area.data_size);
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t size = std::min<std::size_t>(out.size() - done, std::clamp(at_once, 1u, 2048u));
    TRY(const SecretBytes piece,
        read_piece(device, index, static_cast<std::uint16_t>(done), static_cast<std::uint16_t>(size)));
    std::ranges::copy(piece.reveal(), out.reveal_writable().subspan(done).begin());
    done += size;
  }
  return out;
}

Status write_piece(Device& device, const NvIndex& index, std::uint16_t offset, ByteView bytes) {
  Wiped<TPM2B_MAX_NV_BUFFER> in;
  TRY_STATUS(fill(in.value, &TPM2B_MAX_NV_BUFFER::buffer, bytes, "NV data"));
  return device.run(Protect::kSecrets, [&](ESYS_TR session) {
    return device.check(Esys_NV_Write(device.esys(), index.writer(), index.handle.get(), session, ESYS_TR_NONE,
                                      ESYS_TR_NONE, &in.value, offset),
                        "TPM2_NV_Write");
  });
}

}  // namespace

Result<NvIndex> find_nv(Device& device, std::uint32_t index) {
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<NvIndex> {
    ESYS_TR number = ESYS_TR_NONE;
    TRY_STATUS(device.check(Esys_TR_FromTPMPublic(device.esys(), index, session, ESYS_TR_NONE, ESYS_TR_NONE, &number),
                            "TPM2_NV_ReadPublic"));
    Handle handle(device, number, Handle::Kind::kStays);
    TPM2B_NV_PUBLIC* raw = nullptr;
    TRY_STATUS(
        device.check(Esys_NV_ReadPublic(device.esys(), number, session, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr),
                     "TPM2_NV_ReadPublic"));
    const EsysPtr<TPM2B_NV_PUBLIC> area(raw);
    TRY(tpm::NvPublic parsed, from_esys(*area));
    return NvIndex{std::move(handle), std::move(parsed)};
  });
}

Status define_nv(Device& device, const tpm::NvPublic& area) {
  const Bytes bytes = area.tpms();
  TPM2B_NV_PUBLIC in{};
  std::size_t offset = 0;
  if (Tss2_MU_TPMS_NV_PUBLIC_Unmarshal(bytes.data(), bytes.size(), &offset, &in.nvPublic) != TSS2_RC_SUCCESS)
    return invalid_input("tpm.nv.size", "expected an NV public area that tpm2-tss can read");
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Status {
    const TPM2B_AUTH empty{};
    ESYS_TR number = ESYS_TR_NONE;
    TRY_STATUS(device.check(
        Esys_NV_DefineSpace(device.esys(), ESYS_TR_RH_OWNER, session, ESYS_TR_NONE, ESYS_TR_NONE, &empty, &in, &number),
        "TPM2_NV_DefineSpace"));
    const Handle forgotten(device, number, Handle::Kind::kStays);
    return {};
  });
}

Status undefine_nv(Device& device, std::uint32_t index) {
  TRY(const NvIndex found, find_nv(device, index));
  return device.run(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(
        Esys_NV_UndefineSpace(device.esys(), ESYS_TR_RH_OWNER, found.handle.get(), session, ESYS_TR_NONE, ESYS_TR_NONE),
        "TPM2_NV_UndefineSpace");
  });
}

Result<tpm::NvPublic> read_nv_public(Device& device, std::uint32_t index) {
  TRY(NvIndex found, find_nv(device, index));
  return std::move(found.area);
}

Result<SecretBytes> read_nv(Device& device, std::uint32_t index) {
  TRY(const NvIndex found, find_nv(device, index));
  return read_all(device, found);
}

Status write_nv(Device& device, std::uint32_t index, const SecretBytes& content) {
  TRY(const NvIndex found, find_nv(device, index));
  TRY_STATUS(expect_type(found, 0, "an ordinary one"));
  if (content.size() > found.area.data_size) {
    return invalid_input("tpm.nv.size", fmt::format("expected at most {} bytes for NV index 0x{:08x}, {} came",
                                                    found.area.data_size, index, content.size()));
  }
  TRY(const std::uint32_t at_once, read_property(device, kPtNvBufferMax));
  for (std::size_t done = 0; done < content.size();) {
    const std::size_t size = std::min<std::size_t>(content.size() - done, std::clamp(at_once, 1u, 2048u));
    TRY_STATUS(write_piece(device, found, static_cast<std::uint16_t>(done), content.reveal().subspan(done, size)));
    done += size;
  }
  return {};
}

Status increment_nv(Device& device, std::uint32_t index) {
  TRY(const NvIndex found, find_nv(device, index));
  TRY_STATUS(expect_type(found, tpm::kNvCounter, "a counter"));
  return device.run_once(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(
        Esys_NV_Increment(device.esys(), found.writer(), found.handle.get(), session, ESYS_TR_NONE, ESYS_TR_NONE),
        "TPM2_NV_Increment");
  });
}

Result<std::uint64_t> read_nv_counter(Device& device, std::uint32_t index) {
  TRY(const NvIndex found, find_nv(device, index));
  TRY_STATUS(expect_type(found, tpm::kNvCounter, "a counter"));
  TRY(const SecretBytes bytes, read_all(device, found));
  return wire::Reader(bytes.reveal()).u64("counter");
}

Status extend_nv(Device& device, std::uint32_t index, const SecretBytes& data) {
  TRY(const NvIndex found, find_nv(device, index));
  TRY_STATUS(expect_type(found, tpm::kNvExtend, "one that is extended"));
  Wiped<TPM2B_MAX_NV_BUFFER> in;
  TRY_STATUS(fill(in.value, &TPM2B_MAX_NV_BUFFER::buffer, data.reveal(), "NV data"));
  return device.run_once(Protect::kSecrets, [&](ESYS_TR session) {
    return device.check(Esys_NV_Extend(device.esys(), found.writer(), found.handle.get(), session, ESYS_TR_NONE,
                                       ESYS_TR_NONE, &in.value),
                        "TPM2_NV_Extend");
  });
}

}  // namespace warifu::tpm_device
