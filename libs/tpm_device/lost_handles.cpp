#include "tpm_device/lost_handles.h"

#include "tpm_types/command.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tpm_device {
namespace {

Bytes list_handles(std::uint32_t first) {
  constexpr std::uint32_t kGetCapability = 0x17A, kCapHandles = 1, kMany = 32, kSize = 22;
  return wire::Writer(kSize)
      .u16(tpm::kNoSessions)
      .u32(kSize)
      .u32(kGetCapability)
      .u32(kCapHandles)
      .u32(first)
      .u32(kMany)
      .take();
}

// Part 3, TPM2_GetCapability: moreData, TPMS_CAPABILITY_DATA with a TPML_HANDLE.
Result<std::vector<std::uint32_t>> parse_handles(ByteView response) {
  TRY(const tpm::Response parsed, tpm::parse_response(response, 0));
  wire::Reader reader(parsed.parameters);
  TRY_STATUS(reader.bytes(5, "moreData, capability"));
  TRY(const std::uint32_t count, reader.u32("count"));
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    TRY(const std::uint32_t handle, reader.u32("handle"));
    if (tpm::is_transient_handle(handle) || tpm::is_session_handle(handle)) out.push_back(handle);
  }
  TRY_STATUS(reader.expect_done("TPML_HANDLE"));
  return out;
}

}  // namespace

// TPM_HT_TRANSIENT and TPM_HT_LOADED_SESSION (Part 2, 7.2).
const Bytes kListObjects = list_handles(0x80000000);
const Bytes kListSessions = list_handles(0x02000000);

std::vector<std::uint32_t> listed_handles(ByteView response) {
  auto handles = parse_handles(response);
  if (!handles) return {};
  return *std::move(handles);
}

}  // namespace warifu::tpm_device
