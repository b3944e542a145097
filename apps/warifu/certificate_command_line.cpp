#include <memory>

#include "warifu/certificate_commands.h"
#include "warifu/command_line.h"

namespace warifu::cli {

void add_certificate_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "certificate", "Certificates of devices: which there are, and how they stand");
  auto* all = add_verb(noun, "list", "List them", "warifu certificate list --registration-id meter-1");
  const auto id = std::make_shared<std::string>();
  all->add_option("--registration-id", *id, "Of this device only, the newest first");
  all->callback([=, &action] { action = [=](const Context& context) { return list_certificates(context, *id); }; });

  auto* one = add_verb(noun, "show", "Show one", "warifu certificate show 4f1d… --out meter-1.pem");
  const auto options = std::make_shared<CertificateOptions>();
  one->add_option("--serial,serial", options->serial, "Its serial number, in hexadecimal")->required();
  one->add_option("--out", options->out_file, "Write the certificate there, as PEM")->type_name("FILE");
  one->callback([=, &action] { action = [=](const Context& context) { return show_certificate(context, *options); }; });

  add_verb_on(noun, "activate", "--serial", "Let one be used that was issued inactive",
              "warifu certificate activate 4f1d…", action, activate_certificate);
  add_verb_on(noun, "suspend", "--serial", "Let it count for nothing until it is resumed",
              "warifu certificate suspend 4f1d…", action, suspend_certificate);
  add_verb_on(noun, "resume", "--serial", "Let it count again", "warifu certificate resume 4f1d…", action,
              resume_certificate);

  auto* revoke = add_verb(noun, "revoke", "End it for ever", "warifu certificate revoke 4f1d… --reason keyCompromise");
  const auto serial = std::make_shared<std::string>();
  const auto reason = std::make_shared<std::string>();
  revoke->add_option("--serial,serial", *serial, "Its serial number, in hexadecimal")->required();
  revoke->add_option("--reason", *reason, "As RFC 5280 names it: keyCompromise, superseded, cessationOfOperation, …");
  revoke->callback(
      [=, &action] { action = [=](const Context& context) { return revoke_certificate(context, *serial, *reason); }; });

  add_verb_on(noun, "secret", "--registration-id",
              "Print a reference and a secret, once, with which a device gets its first certificate by CMP or EST",
              "warifu certificate secret --registration-id meter-1", action, make_certificate_secret);
}

}  // namespace warifu::cli
