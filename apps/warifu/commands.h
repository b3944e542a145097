#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "warifu/profile.h"

namespace warifu::cli {

// What every command knows.
struct Context {
  ConnectionSettings connection;
  bool json = false;
};

// --- access

struct LoginOptions {
  std::string token_file;  // "-" is standard input
  std::optional<std::string> name;
  std::vector<std::string> permissions;
  std::optional<std::uint64_t> lifetime_seconds;
};
// Exchanges a bootstrap token for an access token, which goes into the profile.
Status login(const Context& context, const LoginOptions& options);

Status show_id_scope(const Context& context);

struct ServiceKeyOptions {
  std::string name;
  std::vector<std::string> permissions;  // none: what the service API demands
};
// Prints the connection string, which is nowhere else.
Status create_service_key(const Context& context, const ServiceKeyOptions& options);
Status list_service_keys(const Context& context);
Status delete_service_key(const Context& context, const std::string& name);

// --- what a device or a group may come by

// By what a device proves itself. At most one kind; none leaves it as it is.
struct CredentialOptions {
  std::string tpm_ek_file;          // TPM2B_PUBLIC or TPMT_PUBLIC, binary or base64
  std::string ek_certificate_file;  // PEM, DER, or what an NV index holds
  bool tpm = false;                 // a group: the EKs on its list
  std::optional<std::string> naming;
  std::vector<std::string> ek_authorities;  // a group: SHA-256 of imported authorities
  std::optional<bool> approve_uncertified;
  bool symmetric = false;
  std::string primary_key_file;  // base64
  std::string secondary_key_file;
  std::string x509_file;  // PEM or DER
  std::string x509_secondary_file;
};

// What is not said stays as it is, or as the server has it by default.
struct TermsOptions {
  std::optional<bool> enabled;
  std::vector<std::string> hubs;
  std::optional<std::string> allocation;
  std::optional<std::string> reprovision;
  std::optional<bool> approve_srk_changes;
  std::optional<std::string> required_attestation;  // "none": nobody is asked
  std::optional<std::string> attestation_interval;  // seconds; "default": the server's
  std::optional<bool> allow_software_keys;
  std::string initial_twin_file;  // a JSON object
};

struct EnrollmentOptions {
  std::string registration_id;
  std::optional<std::string> device_id;
  CredentialOptions credential;
  TermsOptions terms;
  bool dry_run = false;  // update only
};
Status create_enrollment(const Context& context, const EnrollmentOptions& options);
Status list_enrollments(const Context& context);
Status show_enrollment(const Context& context, const std::string& registration_id);
// Reads it, changes what the options say, and writes it back unless somebody else did meanwhile.
Status update_enrollment(const Context& context, const EnrollmentOptions& options);
Status enable_enrollment(const Context& context, const std::string& registration_id);
Status disable_enrollment(const Context& context, const std::string& registration_id);
Status show_enrollment_keys(const Context& context, const std::string& registration_id);
Status delete_enrollment(const Context& context, const std::string& registration_id);

struct GroupOptions {
  std::string group_id;
  CredentialOptions credential;
  TermsOptions terms;
  bool dry_run = false;  // update only
};
Status create_group(const Context& context, const GroupOptions& options);
Status list_groups(const Context& context);
Status show_group(const Context& context, const std::string& group_id);
Status update_group(const Context& context, const GroupOptions& options);
Status show_group_keys(const Context& context, const std::string& group_id);
Status delete_group(const Context& context, const std::string& group_id);
// Each file, of any size, holds one EK in binary, or base64 of one in each line; "-" is standard input.
Status add_group_eks(const Context& context, const std::string& group_id, const std::vector<std::string>& files);
Status list_group_eks(const Context& context, const std::string& group_id);
Status remove_group_ek(const Context& context, const std::string& group_id, const std::string& ek_name);
Status allow_group_ek(const Context& context, const std::string& group_id, const std::string& ek_name);
Status list_group_devices(const Context& context, const std::string& group_id);

// --- devices that came

Status list_devices(const Context& context, const std::string& group_id);  // empty: of all groups and none
// Devices that were assigned, and what waits for it; as JSON one of the two.
Status list_registrations(const Context& context, bool only_waiting);
Status explain_registration(const Context& context, const std::string& registration_id);
Status show_device(const Context& context, const std::string& device_id);
Status show_hub_key(const Context& context, const std::string& device_id);

struct EscrowOptions {
  std::string device_id;
  std::string out_file;                 // empty: only list what there is
  std::optional<std::uint64_t> number;  // without it the newest
};
Status show_escrow(const Context& context, const EscrowOptions& options);

// --- what waits for an operator

Status list_approvals(const Context& context);
struct DecisionOptions {
  std::string registration_id;
  std::string ek_name;  // of the wish that the operator looked at; both empty: that which waits now, and is shown
  std::string srk_name;
};
Status approve(const Context& context, const DecisionOptions& options);
Status reject(const Context& context, const DecisionOptions& options);

struct AlertOptions {
  std::string registration_id;
  std::string kind;
  std::string subject;
};
Status list_alerts(const Context& context);
Status acknowledge_alert(const Context& context, const AlertOptions& options);

}  // namespace warifu::cli
