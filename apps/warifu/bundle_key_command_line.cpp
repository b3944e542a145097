#include <memory>

#include "warifu/bundle_key_commands.h"
#include "warifu/command_line.h"
#include "warifu/root_command_line.h"

namespace warifu::cli {
namespace {

void add_dir(CLI::App* verb, std::filesystem::path& folder) {
  verb->add_option("--dir", folder, "This person's folder")->required()->type_name("DIR");
}

void add_from(CLI::App* verb, std::filesystem::path& from) {
  verb->add_option("--from", from, "The folder that goes from person to person, as the root's desk wrote it (--out)")
      ->required()
      ->type_name("DIR");
}

void add_init(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "init", "Make a person's key that signs trust bundles, or revokes",
                        "warifu bundle-key init --dir /media/sato --org \"Example Power\" --passphrase-file -");
  const auto options = std::make_shared<BundleKeyInitOptions>();
  add_dir(verb, options->folder);
  verb->add_option("--org", options->organisation, "The organisation's name")->required();
  verb->add_option("--curve", options->curve, "P-384 or P-256")->capture_default_str();
  add_new_secret(verb, "", options->secret);
  verb->callback([=, &action] { action = [=](const Context& context) { return init_bundle_key(context, *options); }; });
}

void add_show(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "show", "Show what the proposed trust bundle would change, and whom it waits for",
                        "warifu bundle-key show --dir /media/sato --from out");
  const auto options = std::make_shared<BundleKeyShowOptions>();
  add_dir(verb, options->folder);
  add_from(verb, options->from);
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return show_proposed_bundle(context, *options); }; });
}

void add_sign(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "sign", "Sign the proposed trust bundle, in its folder",
                        "warifu bundle-key sign --dir /media/sato --passphrase-file - --from out --sha256 5c81…");
  const auto options = std::make_shared<BundleKeySignOptions>();
  add_dir(verb, options->folder);
  add_secret(verb, options->secret);
  add_from(verb, options->from);
  verb->add_option("--sha256", options->sha256, "Of the bundle that is meant, as whoever proposed it tells it")
      ->required()
      ->type_name("HEX");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return sign_proposed_bundle(context, *options); }; });
}

void add_revoke(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "revoke", "Take the keys of a role out of use, without the root",
                        "warifu bundle-key revoke --dir /media/revoke --passphrase-file - --from out --role "
                        "code-signing --reason key-compromise");
  const auto options = std::make_shared<BundleKeyRevokeOptions>();
  add_dir(verb, options->folder);
  add_secret(verb, options->secret);
  add_from(verb, options->from);
  verb->add_option("--role", options->role, "Which role")->required()->type_name("ROLE");
  verb->add_option("--reason", options->reason, "key-compromise, superseded or cessation")
      ->required()
      ->type_name("REASON");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return revoke_by_bundle_key(context, *options); }; });
}

void add_status(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "status", "Show the key, and check the journal of what it signed",
                        "warifu bundle-key status --dir /media/sato");
  const auto folder = std::make_shared<std::filesystem::path>();
  add_dir(verb, *folder);
  verb->callback([=, &action] { action = [=](const Context& context) { return show_bundle_key(context, *folder); }; });
}

}  // namespace

void add_bundle_key_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "bundle-key",
                        "A person's key that signs trust bundles beside the root, or revokes: works on a folder");
  add_init(noun, action);
  add_show(noun, action);
  add_sign(noun, action);
  add_revoke(noun, action);
  add_status(noun, action);
}

}  // namespace warifu::cli
