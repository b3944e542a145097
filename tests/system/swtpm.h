#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace warifu::test {

// A TPM emulator of its own, started up, on a UNIX socket in a directory that goes away with it.
class Swtpm {
 public:
  struct Options {
    // With the EKs and certificates that swtpm_setup makes: RSA-2048 at 0x81010001 with 0x01C00002, P-384 at 0x81010016
    // with 0x01C00016.
    bool with_endorsement_keys = false;
    // Like firmware: TPM2_Startup(CLEAR) is done.
    bool started_up = true;
  };

  // Stops the test program when swtpm does not come up.
  Swtpm() : Swtpm(Options{}) {}
  explicit Swtpm(const Options& options);
  ~Swtpm();
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  // Power off and on (TPM reset), for the one who is connected too. Nobody has sent TPM2_Startup afterwards.
  void reset();

  // For Tss2_TctiLdr_Initialize.
  std::string tcti() const { return "swtpm:path=" + socket().string(); }
  // The control socket beside it has ".ctrl" at the end.
  std::filesystem::path socket() const { return directory_ / "tpm"; }

  // Power goes without a TPM2_Shutdown, and comes back. Connections are gone; what is in NV is not.
  void power_cut();

 private:
  void start();
  void stop(int signal);

  std::filesystem::path directory_;
  bool started_up_;
  pid_t process_ = -1;
};

}  // namespace warifu::test
