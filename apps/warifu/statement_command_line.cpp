#include "warifu/statement_command_line.h"

namespace warifu::cli {
namespace {

// CLI11 2.1 makes an optional flag that is not given false, where it should stay absent.
void add_switch(CLI::App* verb, const char* names, std::optional<bool>& value, const char* help) {
  verb->add_flag_function(
      names, [&value](std::int64_t count) { value = count > 0; }, help);
}

}  // namespace

CLI::App* add_credential_options(CLI::App* verb, CredentialOptions& options, StatementKind kind) {
  const bool is_group = kind == StatementKind::kGroup;
  auto* one_of = verb->add_option_group("credential", "One of");
  one_of->require_option(0, 1);
  if (is_group) {
    auto* tpm = one_of->add_flag(
        "--tpm", options.tpm,
        "TPMs: those whose EKs are listed (add-eks), or, with --ek-authority, those whose EK certificate "
        "leads to one of them");
    verb->add_option("--naming", options.naming,
                     "Which registration IDs they may have: text with {ek}, {ek:N} or * in it ({ek})")
        ->needs(tpm)
        ->type_name("TEMPLATE");
    verb->add_option("--ek-authority", options.ek_authorities,
                     "An authority that was imported (ek-root list): any TPM whose EK certificate leads through it may "
                     "come; may be repeated")
        ->needs(tpm)
        ->allow_extra_args(false)
        ->type_name("SHA256");
    add_switch(verb, "--approve-uncertified,!--no-approve-uncertified", options.approve_uncertified,
               "With --ek-authority: a TPM without such a certificate waits for an operator (approval list)");
    verb->get_option("--approve-uncertified")->needs(tpm);
  } else {
    auto* ek = one_of
                   ->add_option("--tpm-ek", options.tpm_ek_file,
                                "The EK as TPM2B_PUBLIC or TPMT_PUBLIC, binary or base64 (tpm2_createek -u)")
                   ->type_name("FILE");
    verb->add_option("--ek-certificate", options.ek_certificate_file,
                     "The EK's certificate: PEM, DER, or what its NV index holds. It is kept and judged (ek-root)")
        ->needs(ek)
        ->type_name("FILE");
  }
  auto* symmetric = one_of->add_flag("--symmetric", options.symmetric,
                                     is_group ? "Keys that the devices' are derived from" : "Symmetric keys");
  auto* x509 = one_of
                   ->add_option("--x509", options.x509_file,
                                is_group ? "The certificate of an authority, PEM or DER"
                                         : "The device's certificate, PEM or DER")
                   ->type_name("FILE");
  verb->add_option("--primary-key-file", options.primary_key_file, "The key in base64 (drawn by the server)")
      ->needs(symmetric)
      ->type_name("FILE");
  verb->add_option("--secondary-key-file", options.secondary_key_file, "The other key in base64 (drawn by the server)")
      ->needs(symmetric)
      ->type_name("FILE");
  verb->add_option("--x509-secondary", options.x509_secondary_file, "Another certificate that will do as well")
      ->needs(x509)
      ->type_name("FILE");
  return one_of;
}

void add_terms_options(CLI::App* verb, TermsOptions& options) {
  add_switch(verb, "--enabled,!--disabled", options.enabled, "Whether it is let in at all (enabled)");
  verb->add_option("--hub", options.hubs, "A hub to assign to; may be repeated (the server's own)")
      ->allow_extra_args(false)
      ->type_name("HOST");
  verb->add_option("--allocation", options.allocation, "How a hub is chosen: hashed, static, geo-latency or custom");
  verb->add_option("--reprovision", options.reprovision,
                   "What a device that comes again gets: migrate, reset or never");
  add_switch(verb, "--approve-srk-changes,!--no-approve-srk-changes", options.approve_srk_changes,
             "Let an operator decide when the TPM's storage root key is another");
  verb->add_option(
          "--require-attestation", options.required_attestation,
          "What a TPM's device must have attested to before it is assigned: affirming (in every layer), warning "
          "(nothing contradicts an enforced policy), or none")
      ->check(CLI::IsMember({"affirming", "warning", "none"}))
      ->type_name("TIER");
  verb->add_option("--attestation-interval", options.attestation_interval,
                   "After how many seconds it is to attest again, 10 to 86400, or default: the server's")
      ->type_name("SECONDS");
  add_switch(verb, "--allow-software-keys,!--no-allow-software-keys", options.allow_software_keys,
             "State that its keys may be in software: a test device");
  verb->add_option("--initial-twin", options.initial_twin_file, "What its twin begins with: a JSON object")
      ->type_name("FILE");
}

}  // namespace warifu::cli
