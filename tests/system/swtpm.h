#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace warifu::test {

// A TPM emulator of its own, started up, on a UNIX socket in a directory that goes away with it.
class Swtpm {
 public:
  // Stops the test program when swtpm does not come up.
  Swtpm();
  ~Swtpm();
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  // For Tss2_TctiLdr_Initialize.
  std::string tcti() const { return "swtpm:path=" + socket().string(); }
  // The control socket beside it has ".ctrl" at the end.
  std::filesystem::path socket() const { return directory_ / "tpm"; }

 private:
  std::filesystem::path directory_;
  pid_t process_ = -1;
};

}  // namespace warifu::test
