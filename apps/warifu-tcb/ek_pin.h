#pragma once

#include <optional>

#include "base/result.h"
#include "base/state_files.h"
#include "tpm_types/name.h"

namespace warifu::tcb_program {

// The endorsement key that this device had at its first start, by its Name: everything said to the TPM is encrypted to
// that key, so another TPM in its place, or somebody between, hears nothing.
constexpr const char* kEkNameFile = "ek-name";

// nullopt before the first start. kConflict "tcb.state.ek_name": the file is not what keep_ek_name() wrote.
Result<std::optional<tpm::Name>> kept_ek_name(StateFiles& files);
Status keep_ek_name(StateFiles& files, const tpm::Name& name);

// The pin to open the TPM with: what the command line says, which must not contradict what was kept: kRefused
// "tpm.ek.swapped".
Result<std::optional<tpm::Name>> choose_ek_name(const std::optional<tpm::Name>& given,
                                                const std::optional<tpm::Name>& kept);

}  // namespace warifu::tcb_program
