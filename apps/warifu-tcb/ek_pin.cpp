#include "warifu-tcb/ek_pin.h"

#include <fmt/format.h>

namespace warifu::tcb_program {

Result<std::optional<tpm::Name>> kept_ek_name(StateFiles& files) {
  TRY(const auto content, files.read(kEkNameFile));
  if (!content) return std::optional<tpm::Name>();
  const auto bytes = from_hex(as_text(*content));
  const auto name = bytes ? tpm::Name::parse(*bytes) : Result<tpm::Name>(bytes.error());
  if (name) return std::optional(*name);
  return Error{ErrorKind::kConflict, "tcb.state.ek_name",
               fmt::format("the state file {} is damaged ({}): compare `tpm2_createek` with your records before you "
                           "remove it",
                           kEkNameFile, name.error().message)};
}

Status keep_ek_name(StateFiles& files, const tpm::Name& name) {
  return files.replace(kEkNameFile, as_bytes(name.text()));
}

Result<std::optional<tpm::Name>> choose_ek_name(const std::optional<tpm::Name>& given,
                                                const std::optional<tpm::Name>& kept) {
  if (!given || !kept || *given == *kept) return given ? given : kept;
  return Error{ErrorKind::kRefused, "tpm.ek.swapped",
               fmt::format("--ek-name says {}, but this device began with {}: for another TPM use another state folder",
                           given->text(), kept->text())};
}

}  // namespace warifu::tcb_program
