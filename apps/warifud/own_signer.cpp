#include "warifud/own_signer.h"

#include "process/child.h"

namespace warifu::warifud {

Status run_signer(std::vector<std::string> command) {
  TRY(auto program, process::sibling_program("warifu-signer"));
  command.insert(command.begin(), std::move(program));
  TRY(const int code, process::run(command));
  if (code == 0) return {};
  const auto kind = code == exit_code(ErrorKind::kInvalidInput) ? ErrorKind::kInvalidInput
                    : code == exit_code(ErrorKind::kRefused)    ? ErrorKind::kRefused
                                                                : ErrorKind::kUnavailable;
  return Error{kind, "init.signer", "warifu-signer did not do its part; why, it says above"};
}

Status install_at_own_signer(const keystore::DataDir& data_dir, const std::filesystem::path& from) {
  return run_signer({"install", "--dir", data_dir.signer().string(), "--from", from.string()});
}

}  // namespace warifu::warifud
