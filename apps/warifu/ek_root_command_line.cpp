#include <memory>

#include "warifu/command_line.h"
#include "warifu/ek_root_commands.h"

namespace warifu::cli {
namespace {

constexpr const char* kFingerprint = "--fingerprint";

void add_import(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "import", "Let authorities certify endorsement keys, or bring their CRLs",
                        "warifu ek-root import vendor-roots.pem vendor-cas/\n"
                        "         warifu ek-root import --vendor IFX own-root.pem\n"
                        "         warifu ek-root import --crl vendor.crl");
  const auto options = std::make_shared<EkImportOptions>();
  verb->add_option("file", options->files, "Certificates: PEM, also many in one file, or DER; a folder of such files")
      ->required()
      ->type_name("FILE|DIR");
  auto* crls = verb->add_flag("--crl", options->are_crls, "The files are CRLs, PEM or DER");
  verb->add_option("--as", options->role,
                   "What all of them are: root or intermediate (who signed itself is a root, the rest are not)")
      ->check(CLI::IsMember({"root", "intermediate"}))
      ->excludes(crls)
      ->type_name("ROLE");
  verb->add_option("--vendor", options->vendors, "For whose TPMs the roots speak, like IFX (whom their names name)")
      ->allow_extra_args(false)
      ->excludes(crls)
      ->type_name("ID");
  verb->add_flag("--dry-run", options->dry_run, "Only say what it would do");
  verb->callback([=, &action] { action = [=](const Context& context) { return import_ek_roots(context, *options); }; });
}

void add_distrust(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "distrust", "Believe an authority no more, nor another one of its key; whom that affects",
                        "warifu ek-root distrust 3a5c… --since 2026-11-28T12:00:00Z --reason 'key leaked' --dry-run");
  const auto options = std::make_shared<EkDistrustOptions>();
  verb->add_option("--fingerprint,id", options->fingerprint, "SHA-256 of its certificate, as ek-root list shows it")
      ->required()
      ->type_name("SHA-256");
  verb->add_option("--since", options->since,
                   "From when on nothing under it is believed, in UTC, whatever dates a certificate bears (now)")
      ->type_name("2026-11-28T12:00:00Z");
  verb->add_option("--reason", options->reason, "Why, in one line: for the audit log and for every refusal")
      ->required()
      ->type_name("TEXT");
  verb->add_flag("--dry-run", options->dry_run, "Only show whom it would affect");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return distrust_ek_root(context, *options); }; });
}

}  // namespace

void add_ek_root_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "ek-root", "Who may certify endorsement keys, on the server");
  add_import(noun, action);
  add_verb(noun, "list", "List the authorities", "warifu ek-root list", action, list_ek_roots);
  add_verb(noun, "list-crls", "List the CRLs", "warifu ek-root list-crls", action, list_ek_crls);
  add_verb_on(noun, "show", kFingerprint, "Show one authority", "warifu ek-root show 3a5c…", action, show_ek_root);
  add_verb_on(noun, "devices", kFingerprint, "List the devices that only this authority vouches for",
              "warifu ek-root devices 3a5c…", action, list_ek_root_devices);
  add_distrust(noun, action);
  add_verb_on(noun, "trust", kFingerprint, "Take a distrust back", "warifu ek-root trust 3a5c…", action, trust_ek_root);
}

}  // namespace warifu::cli
