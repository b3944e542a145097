// NV memory, PCRs and the clock.
#include "crypto/digest.h"
#include "flip_operations.h"
#include "tpm_device/capability.h"
#include "tpm_device/clock.h"
#include "tpm_device/nv.h"
#include "tpm_device/pcr.h"

namespace warifu::bus {
namespace {

using tpm_device::TcbTpm;
using namespace tpm;  // the attributes of an index

constexpr std::uint32_t kIndex = 0x01500001;

Status define(TcbTpm& tpm, std::uint32_t type) {
  const std::uint16_t size = type == kNvCounter ? 8 : 32;
  return define_nv(tpm.device(),
                   {.index = kIndex, .attributes = kNvOwnerWrite | kNvOwnerRead | kNvNoDa | type, .data_size = size});
}

// Whatever the operation before has left.
Status undefine(TcbTpm& tpm) {
  const Status gone = undefine_nv(tpm.device(), kIndex);
  if (gone || gone.error().kind == ErrorKind::kNotFound) return {};
  return gone.error();
}

Status define_anew(TcbTpm& tpm, std::uint32_t type) {
  TRY_STATUS(undefine(tpm));
  return define(tpm, type);
}

}  // namespace

std::vector<Operation> FlipOperations::with_nv() {
  const auto ordinary = [](TcbTpm& tpm) { return define_anew(tpm, 0); };
  const auto write = [this](TcbTpm& tpm) { return write_nv(tpm.device(), kIndex, secret_); };
  const auto read = [this](TcbTpm& tpm) -> Status {
    TRY(const SecretBytes content, read_nv(tpm.device(), kIndex));
    if (equal_constant_time(content.reveal(), secret_.reveal())) return {};
    return Error{ErrorKind::kInternal, kWrongValue, "another content"};
  };
  const auto written = [=](TcbTpm& tpm) -> Status {
    if (read(tpm)) return {};
    TRY_STATUS(ordinary(tpm));
    return write(tpm);
  };
  const auto increment = [](TcbTpm& tpm) { return increment_nv(tpm.device(), kIndex); };
  const auto extend = [this](TcbTpm& tpm) { return extend_nv(tpm.device(), kIndex, secret_); };
  return {
      {.name = "NV read", .commands = {"TPM2_NV_ReadPublic", "TPM2_NV_Read"}, .run = read, .prepare = written},
      {.name = "NV write", .commands = {"TPM2_NV_Write"}, .run = write, .prepare = ordinary},
      {.name = "NV define",
       .commands = {"TPM2_NV_DefineSpace"},
       .run = [](TcbTpm& tpm) { return define(tpm, 0); },
       .prepare = undefine},
      {.name = "NV undefine",
       .commands = {"TPM2_NV_UndefineSpace"},
       .run = [](TcbTpm& tpm) { return undefine_nv(tpm.device(), kIndex); },
       .prepare = ordinary},
      {.name = "NV increment",
       .commands = {"TPM2_NV_Increment"},
       .run = increment,
       .prepare = [](TcbTpm& tpm) { return define_anew(tpm, kNvCounter); }},
      {.name = "NV extend",
       .commands = {"TPM2_NV_Extend"},
       .run = extend,
       .prepare = [](TcbTpm& tpm) { return define_anew(tpm, kNvExtend); }},
  };
}

std::vector<Operation> FlipOperations::look_around() {
  const auto drop = [](const auto& result) -> Status {
    if (result) return {};
    return result.error();
  };
  const auto measured = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes("measured")});
  return {
      {.name = "PCR read",
       .commands = {"TPM2_PCR_Read"},
       .run =
           [drop](TcbTpm& tpm) {
             return drop(read_pcrs(tpm.device(), {0, 7}));
           }},
      {.name = "PCR extend",
       .commands = {"TPM2_PCR_Extend"},
       .run = [measured](TcbTpm& tpm) { return extend_pcr(tpm.device(), 16, measured); }},
      {.name = "capability",
       .commands = {"TPM2_GetCapability"},
       .run = [drop](TcbTpm& tpm) { return drop(read_property(tpm.device(), tpm_device::kPtPermanent)); }},
      {.name = "clock",
       .commands = {"TPM2_ReadClock"},
       .run = [drop](TcbTpm& tpm) { return drop(read_clock(tpm.device())); }},
  };
}

}  // namespace warifu::bus
