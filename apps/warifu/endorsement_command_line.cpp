#include <memory>

#include "warifu/command_line.h"
#include "warifu/data_package_commands.h"
#include "warifu/endorsement_commands.h"

namespace warifu::cli {
namespace {

void add_verify(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "verify", "Look for a path from an EK certificate to a root that you trust",
                        "warifu ek-certificate verify ek.der --roots vendor-roots.pem --intermediates vendor-cas/");
  const auto options = std::make_shared<EkVerifyOptions>();
  verb->add_option("file", options->file, "PEM, DER, or what an NV index holds")->required()->type_name("FILE");
  verb->add_option("--roots", options->roots, "Authorities that are trusted")->required()->type_name("FILE|DIR");
  verb->add_option("--intermediates", options->intermediates, "Authorities between")->type_name("FILE|DIR");
  verb->add_option("--crl", options->crls, "A revocation list")->type_name("FILE");
  verb->add_option("--vendor", options->vendors, "For whose TPMs these roots speak, like IFX (whom their names name)")
      ->type_name("ID");
  verb->add_option("--distrust", options->distrusted,
                   "An authority of these that is not believed, nor another one of its key; with a time: from then on")
      ->allow_extra_args(false)
      ->type_name("SHA-256[=2026-11-28T12:00:00Z]");
  auto* at =
      verb->add_option("--at", options->at, "When it is judged, in UTC (now)")->type_name("2026-11-28T12:00:00Z");
  verb->add_flag("--ignore-time", options->ignore_time, "Do not look at validity; the result says so")->excludes(at);
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return verify_ek_certificate(context, *options); }; });
}

void add_flaw_check(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "check", "Which published flaws a TPM has, as far as is known",
                        "warifu tpm-flaws check --ek-certificate ek.der --firmware 7.85.4555.0");
  const auto options = std::make_shared<FlawCheckOptions>();
  verb->add_option("--ek-certificate", options->ek_certificate, "Names manufacturer and model, and holds a key")
      ->type_name("FILE");
  verb->add_option("--key", options->keys, "More keys of this TPM: certificates or public keys")->type_name("FILE");
  verb->add_option("--manufacturer", options->manufacturer, "The vendor ID, like IFX")->type_name("ID");
  verb->add_option("--model", options->model, "As its EK certificate names it")->type_name("MODEL");
  auto* text = verb->add_option("--firmware", options->firmware, "The version as its maker writes it")->type_name("V");
  auto* first = verb->add_option("--firmware-1", options->firmware_1, "TPM_PT_FIRMWARE_VERSION_1")->type_name("HEX");
  auto* second = verb->add_option("--firmware-2", options->firmware_2, "TPM_PT_FIRMWARE_VERSION_2")->type_name("HEX");
  first->needs(second)->excludes(text);
  second->needs(first);
  auto* data =
      verb->add_option("--data", options->data, "Flaws to judge by (what came with warifu)")->type_name("FILE");
  auto* signature = verb->add_option("--data-signature", options->data_signature, "Its signature")->type_name("FILE");
  auto* key = verb->add_option("--data-key", options->data_key, "The public key that signed it")->type_name("PEM");
  data->needs(signature)->needs(key);
  signature->needs(data);
  key->needs(data);
  verb->callback([=, &action] { action = [=](const Context& context) { return check_tpm_flaws(context, *options); }; });
}

void add_package_options(CLI::App* verb, PackageFiles& files, const char* format) {
  verb->add_option("file", files.file, format)->required()->type_name("FILE");
  verb->add_option("--signature", files.signature, "Its signature, as `openssl dgst -sha256 -sign` makes it")
      ->required()
      ->type_name("FILE");
  verb->add_option("--key", files.key, "The public key that signed it")->required()->type_name("PEM");
}

// put, show and delete of one kind.
void add_package_verbs(CLI::App* noun, const std::string& kind, const char* format, Action& action) {
  const std::string example = "warifu " + kind;
  auto* put = add_verb(noun, "put", "Let a signed package on the server judge from the next attestation on",
                       (example + " put news.json --signature news.sig --key signer.pem").c_str());
  const auto options = std::make_shared<PackagePutOptions>();
  options->kind = kind;
  add_package_options(put, options->package, format);
  put->add_flag("--dry-run", options->dry_run, "Only say what it would do");
  put->callback([=, &action] { action = [=](const Context& context) { return put_package(context, *options); }; });
  add_verb(noun, "show", "Show the package that the server judges by", (example + " show").c_str())
      ->callback([=, &action] { action = [=](const Context& context) { return show_package(context, kind); }; });
  add_verb(noun, "delete", "Delete the package on the server", (example + " delete").c_str())->callback([=, &action] {
    action = [=](const Context& context) { return delete_package(context, kind); };
  });
}

void add_flaw_test(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "test", "Say whose hardware would be judged otherwise by a package, and store nothing",
                        "warifu tpm-flaws test news.json --signature news.sig --key signer.pem");
  const auto options = std::make_shared<FlawTestOptions>();
  add_package_options(verb, options->package, "warifu.tpm-flaws.v1");
  verb->add_flag("--all", options->all, "Print those of whom it says the same as today, too");
  verb->callback([=, &action] { action = [=](const Context& context) { return test_flaws(context, *options); }; });
}

}  // namespace

void add_endorsement_commands(CLI::App& app, Action& action) {
  auto* ek = add_noun(app, "ek-certificate", "Certificates of endorsement keys, in files");
  auto* show =
      add_verb(ek, "show", "What a certificate says, which proves nothing yet", "warifu ek-certificate show ek.der");
  const auto file = std::make_shared<std::string>();
  show->add_option("file", *file, "PEM, DER, or what an NV index holds")->required()->type_name("FILE");
  show->callback(
      [=, &action] { action = [=](const Context& context) { return show_ek_certificate(context, *file); }; });
  add_verify(ek, action);
  auto* flaws = add_noun(app, "tpm-flaws", "Published flaws of TPMs, and whom they affect");
  add_flaw_check(flaws, action);
  add_package_verbs(flaws, "tpm-flaws", "warifu.tpm-flaws.v1", action);
  add_flaw_test(flaws, action);
  add_verb(flaws, "devices", "List the devices whose TPM has a known flaw", "warifu tpm-flaws devices", action,
           list_flawed_devices);
  auto* quirks = add_noun(app, "firmware-quirks", "What machines that do not behave are allowed");
  add_package_verbs(quirks, "firmware-quirks", "warifu.firmware-quirks.v1", action);
}

}  // namespace warifu::cli
