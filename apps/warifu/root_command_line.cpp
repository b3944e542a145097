#include <memory>

#include "warifu/command_line.h"
#include "warifu/root_command_line.h"
#include "warifu/root_commands.h"
#include "warifu/root_people_commands.h"

namespace warifu::cli {

void add_secret(CLI::App* verb, RootSecretOptions& options) {
  verb->add_option("--passphrase-file", options.passphrase_file, "What opens it; - is standard input")
      ->type_name("FILE");
  verb->add_option("--share-file", options.share_files,
                   "One person's share, or several, one a line; - is standard input; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE");
}

void add_new_secret(CLI::App* verb, const std::string& prefix, NewRootSecretOptions& options) {
  verb->add_option("--" + prefix + "passphrase-file", options.passphrase_file,
                   "Put it under this passphrase, of at least 12 characters")
      ->type_name("FILE");
  verb->add_option("--shares", options.shares, "Put it under a drawn one, of which N people get a share: M open it")
      ->type_name("M/N");
  verb->add_option("--shares-out", options.shares_out, "A folder for a file for each share (they are printed)")
      ->type_name("DIR");
}

namespace {

void add_root_dir(CLI::App* verb, std::filesystem::path& folder) {
  verb->add_option("--dir", folder, "The root's folder")->required()->type_name("DIR");
}

void add_init(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "init", "Make an organisation's root and its master revocation key",
                        "warifu root init --dir /media/root --org \"Example Power\" --shares 3/5 --shares-out shares");
  const auto options = std::make_shared<RootInitOptions>();
  add_root_dir(verb, options->folder);
  verb->add_option("--org", options->organisation, "The organisation's name, as it stands in certificates")->required();
  verb->add_option("--curve", options->curve, "P-384 or P-256")->capture_default_str();
  add_new_secret(verb, "", options->secret);
  verb->callback([=, &action] { action = [=](const Context& context) { return init_root(context, *options); }; });
}

void add_sign(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "sign", "Certify the keys of roles, as a signer asked for them",
                        "warifu root sign --dir /media/root --share-file a --share-file b --share-file c --requests "
                        "requests --out roles");
  const auto options = std::make_shared<RootSignOptions>();
  add_root_dir(verb, options->folder);
  add_secret(verb, options->secret);
  verb->add_option("--requests", options->requests,
                   "The folder of requests (*.csr) of warifu-signer init --offline-root")
      ->required()
      ->type_name("DIR");
  verb->add_option("--out", options->out, "A folder for the certificates, which the signer takes by install")
      ->required()
      ->type_name("DIR");
  verb->callback([=, &action] { action = [=](const Context& context) { return sign_roles(context, *options); }; });
}

void add_publish(CLI::App* noun, Action& action) {
  auto* verb =
      add_verb(noun, "publish", "Sign the next trust bundle, with nothing new but its end",
               "warifu root publish --dir /media/root --share-file a --share-file b --share-file c --days 365");
  const auto options = std::make_shared<RootPublishOptions>();
  add_root_dir(verb, options->folder);
  add_secret(verb, options->secret);
  verb->add_option("--days", options->days, "How long it is good for")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  verb->add_option("--out", options->out, "A folder for root.pem and the trust bundles, all of them (bundles/)")
      ->type_name("DIR");
  verb->callback([=, &action] { action = [=](const Context& context) { return publish_bundle(context, *options); }; });
}

void add_rotate(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "rotate", "Make a new root, beside the old one until --finish takes that away",
                        "warifu root rotate --dir /media/root --share-file a --share-file b --share-file c --out out");
  const auto options = std::make_shared<RootRotateOptions>();
  add_root_dir(verb, options->folder);
  add_secret(verb, options->secret);
  verb->add_flag("--finish", options->finish, "Take every root but the newest out of the trust bundle");
  verb->add_option("--out", options->out, "A folder for root.pem, the certificates of roles and the trust bundles")
      ->type_name("DIR");
  verb->callback([=, &action] { action = [=](const Context& context) { return rotate_root(context, *options); }; });
}

void add_revoke(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "revoke", "Take the keys of a role out of use, by the master revocation key",
                        "warifu root revoke --dir /media/root --share-file a --share-file b --share-file c --role "
                        "code-signing --reason key-compromise --out out");
  const auto options = std::make_shared<RootRevokeOptions>();
  add_root_dir(verb, options->folder);
  add_secret(verb, options->secret);
  verb->add_option("--role", options->role, "Which role")->required()->type_name("ROLE");
  verb->add_option("--reason", options->reason, "key-compromise, superseded or cessation")
      ->required()
      ->type_name("REASON");
  verb->add_option("--out", options->out, "A folder for the trust bundles, all of them (bundles/)")->type_name("DIR");
  verb->callback([=, &action] { action = [=](const Context& context) { return revoke_role(context, *options); }; });
}

void add_keys(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "keys", "Let other people sign the trust bundles too, or revoke in the root's place",
                        "warifu root keys --dir /media/root --share-file a --share-file b --share-file c --signing 2 "
                        "--signing-key sato.pem=5c81… --signing-key mori.pem=09ae… --out out");
  const auto options = std::make_shared<RootKeysOptions>();
  add_root_dir(verb, options->folder);
  add_secret(verb, options->secret);
  verb->add_option("--signing", options->signing, "How many must sign a bundle, the root's key being one")
      ->check(CLI::Range(1, 16))
      ->type_name("M");
  verb->add_option("--signing-key", options->signing_keys,
                   "Another person's key.pem, and the SHA-256 that they tell; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE=SHA256");
  verb->add_option("--revocation", options->revocation, "How many must agree to revoke")
      ->check(CLI::Range(1, 16))
      ->type_name("M");
  verb->add_option("--revocation-key", options->revocation_keys,
                   "The same of a key that revokes in the place of the root's own; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE=SHA256");
  verb->add_option("--out", options->out, "A folder for the trust bundles, and the one that waits for signatures")
      ->type_name("DIR");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return change_bundle_keys(context, *options); }; });
}

void add_accept(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "accept", "Take back what other people signed",
                        "warifu root accept --dir /media/root --from out --out out");
  const auto options = std::make_shared<RootAcceptOptions>();
  add_root_dir(verb, options->folder);
  verb->add_option("--from", options->from, "The folder that went from person to person")->required()->type_name("DIR");
  verb->add_option("--out", options->out, "A folder for the trust bundles, all of them (bundles/)")->type_name("DIR");
  verb->callback([=, &action] { action = [=](const Context& context) { return accept_bundles(context, *options); }; });
}

void add_withdraw(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "withdraw", "Give up the trust bundle that waits for signatures",
                        "warifu root withdraw --dir /media/root");
  const auto folder = std::make_shared<std::filesystem::path>();
  add_root_dir(verb, *folder);
  verb->callback([=, &action] { action = [=](const Context& context) { return withdraw_bundle(context, *folder); }; });
}

void add_passphrase(CLI::App* noun, Action& action) {
  auto* verb =
      add_verb(noun, "passphrase", "Put the root under another passphrase, or under new shares",
               "warifu root passphrase --dir /var/lib/warifu/root --passphrase-file /var/lib/warifu/root/passphrase "
               "--shares 3/5 --shares-out shares");
  const auto options = std::make_shared<RootPassphraseOptions>();
  add_root_dir(verb, options->folder);
  add_secret(verb, options->old_secret);
  add_new_secret(verb, "new-", options->new_secret);
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return change_root_passphrase(context, *options); }; });
}

void add_status(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "status", "Show the root, and check the journal of what it signed",
                        "warifu root status --dir /media/root");
  const auto folder = std::make_shared<std::filesystem::path>();
  add_root_dir(verb, *folder);
  verb->callback([=, &action] { action = [=](const Context& context) { return show_root(context, *folder); }; });
}

}  // namespace

void add_root_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "root", "The organisation's root, at its own desk: works on a folder, without a server");
  add_init(noun, action);
  add_sign(noun, action);
  add_publish(noun, action);
  add_rotate(noun, action);
  add_revoke(noun, action);
  add_keys(noun, action);
  add_accept(noun, action);
  add_withdraw(noun, action);
  add_passphrase(noun, action);
  add_status(noun, action);
}

}  // namespace warifu::cli
