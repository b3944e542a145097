#pragma once

#include <tss2/tss2_tcti.h>

#include <cstdint>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "base/result.h"
#include "tpm_device/tcti.h"
#include "tpm_types/command_table.h"

namespace warifu::tpm_device {

// Sits between ESYS and the TPM and sees each command as it will be on the bus. What the table does not allow is not
// sent: ESYS drops a session attribute without a word when it finds it does not fit, and a caller may have forgotten
// it. It looks at each answer too: tpm2-tss 3.2.1 takes a success without sessions for an answer to a command with them
// (Tss2_Sys_GetRspAuths leaves the count of sessions as it was) and then compares uninitialised memory.
class GuardTcti {
 public:
  GuardTcti(TctiPtr inner, tpm::CommandTable table);
  GuardTcti(const GuardTcti&) = delete;
  GuardTcti& operator=(const GuardTcti&) = delete;

  // For Esys_Initialize. Lives as long as this.
  TSS2_TCTI_CONTEXT* context();

  // Why the last call was refused, once: ESYS can only pass on a number.
  std::optional<Error> take_refusal();

  // Flushes every transient object and session that was made through here and is not flushed yet. ESYS forgets its own
  // when it has to be started anew, and without a resource manager each holds one of three slots.
  void flush_all();
  // Flushes also what is in the TPM and nobody here knows of: an altered answer to TPM2_Load or TPM2_StartAuthSession
  // leaves a slot taken and its handle unknown, and after three of them the TPM would be full. A resource manager shows
  // each process only its own; without one we are the only process.
  void flush_lost();

 private:
  // ESYS has the address of `common`, which is the address of this (C++ and C agree: standard layout, first member).
  struct Context {
    TSS2_TCTI_CONTEXT_COMMON_V2 common;
    GuardTcti* guard;
  };
  static GuardTcti& of(TSS2_TCTI_CONTEXT* context);
  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command);
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t timeout);

  TSS2_RC send(ByteView command);
  TSS2_RC fetch(std::int32_t timeout);
  TSS2_RC hand_over(std::size_t* size, std::uint8_t* response);
  TSS2_RC refuse(Error why);
  void flush(std::uint32_t handle);
  Result<Bytes> exchange(ByteView command);
  void note_handles();

  TctiPtr inner_;
  tpm::CommandTable table_;
  Context context_;
  Bytes command_;                  // the last that was sent
  std::optional<Bytes> response_;  // fetched and checked, not yet handed over
  std::optional<Error> refusal_;
  std::set<std::uint32_t> live_;
};

}  // namespace warifu::tpm_device
