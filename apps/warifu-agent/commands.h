#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::agent_app {

// What stands before the command.
struct Context {
  std::string config_path;
  bool json = false;
  bool unconfined = false;
};

// "-" is standard input or output.
struct Files {
  std::string in = "-";
  std::string out = "-";
};

// Each does one subcommand and prints its outcome on standard output; what it says on the way goes to standard error.
Status run(const Context& context);
Status provision(const Context& context);
// kNotFound "agent.not_provisioned" when it is not; kUnavailable when the TCB could not confirm it.
Status show_status(const Context& context);
// One attestation now. kRefused "attestation.result" when the server does not judge all of it to be affirming,
// kNotFound "attestation.none" when it has no attestation.
Status attest(const Context& context);
// Without a server; empty texts: none. kRefused "attestation.local" when not all is affirming, kInvalidInput for a
// policy that cannot be judged by.
struct LocalAttestation {
  std::string policy_file;
  std::string out_folder;  // where the evidence is kept
};
Status attest_locally(const Context& context, const LocalAttestation& options);
Status print_token(const Context& context, std::uint32_t lifetime_seconds);

// The LDevID, if none is there that can stay; renew: in any case. kNotFound "certificate.none" when the server issues
// none.
Status get_certificate(const Context& context);
Status renew_certificate(const Context& context);
Status get_idevid(const Context& context);
// kNotFound "tcb.certificate.none" without an LDevID.
Status show_certificate(const Context& context);
// For software that opens the TPM by itself: PEM, "-" is standard output.
struct ExportFiles {
  std::string certificate;
  std::string key;
};
Status export_certificate(const Context& context, const ExportFiles& files);

// Gets what the server gives this device for its applications, now. kNotFound "application-key.none" when it gives
// none.
Status get_application_keys(const Context& context);
Status list_application_keys(const Context& context);
// HMAC-SHA256 of standard input, at most 1024 bytes, in hexadecimal.
Status print_application_hmac(const Context& context, const std::string& name);
// Until the TPM is reset. Without a PCR (0): those by which keys of this device are capped.
Status cap_application_keys(const Context& context, std::uint8_t pcr, bool unless_pending);

Status show_tpm(const Context& context);
Status print_ek(const Context& context);
Status own_tpm(const Context& context);
Status clear_tpm(const Context& context, const std::string& lockout_auth_file, bool yes);
Status reset_lockout(const Context& context, const std::string& lockout_auth_file);

// kRefused "confine.open" if something went through.
Status check_confinement(const Context& context);

Status print_random(const Context& context, std::uint16_t size);
Status seal(const Context& context, const Files& files, const std::vector<std::uint8_t>& pcrs);
Status unseal(const Context& context, const Files& files);

}  // namespace warifu::agent_app
