#include <memory>

#include "warifu/command_line.h"
#include "warifu/statement_command_line.h"

namespace warifu::cli {
namespace {

constexpr const char* kId = "--group-id";

void add_options(CLI::App* verb, GroupOptions& options, bool is_update) {
  verb->add_option("--group-id,id", options.group_id, "The group")->required()->type_name("ID");
  auto* group = add_credential_options(verb, options.credential, StatementKind::kGroup);
  if (!is_update) group->require_option(1);
  add_terms_options(verb, options.terms);
}

void add_eks_verbs(CLI::App* noun, Action& action) {
  struct Listing {
    std::string group_id;
    std::vector<std::string> files;
    std::string ek_name;
  };
  const auto added = std::make_shared<Listing>();
  auto* add = add_verb(noun, "add-eks", "Put EKs on the list of a TPM group: their devices may come",
                       "warifu enrollment-group add-eks plant eks.txt");
  add->add_option("--group-id,id", added->group_id, "The group")->required()->type_name("ID");
  add->add_option(
         "files", added->files,
         "Files with EKs: TPM2B_PUBLIC or TPMT_PUBLIC, one in binary, or base64 of one in each line; - is standard "
         "input")
      ->required()
      ->type_name("FILE");
  add->callback([=, &action] {
    action = [=](const Context& context) { return add_group_eks(context, added->group_id, added->files); };
  });
  add_verb_on(noun, "list-eks", kId, "List the EKs of a TPM group", "warifu enrollment-group list-eks plant", action,
              list_group_eks);
  const auto add_ek_verb = [&](const char* name, const char* description, const char* example, auto run) {
    const auto named = std::make_shared<Listing>();
    auto* verb = add_verb(noun, name, description, example);
    verb->add_option("--group-id,id", named->group_id, "The group")->required()->type_name("ID");
    verb->add_option("--ek-name,ek-name", named->ek_name, "The Name of the EK, as list-eks shows it")
        ->required()
        ->type_name("HEX");
    verb->callback([=, &action] {
      action = [=](const Context& context) { return run(context, named->group_id, named->ek_name); };
    });
  };
  add_ek_verb("remove-ek", "Take an EK off the group: its device is refused from then on",
              "warifu enrollment-group remove-ek plant 000b1a7101fb…", remove_group_ek);
  add_ek_verb("allow-ek", "Let a TPM come again that was taken off a group by authorities",
              "warifu enrollment-group allow-ek plant 000b1a7101fb…", allow_group_ek);
}

}  // namespace

void add_group_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "enrollment-group", "Kinds of devices that may come");
  const auto created = std::make_shared<GroupOptions>();
  auto* create = add_verb(noun, "create",
                          "Make a group by EKs, by authorities for EKs, by an authority, or by keys to derive from",
                          "warifu enrollment-group create --group-id plant --tpm --naming 'pump-*'");
  add_options(create, *created, /*is_update=*/false);
  create->callback([=, &action] { action = [=](const Context& context) { return create_group(context, *created); }; });

  const auto updated = std::make_shared<GroupOptions>();
  auto* update = add_verb(noun, "update", "Change what the options name, and nothing else",
                          "warifu enrollment-group update plant --disabled");
  add_options(update, *updated, /*is_update=*/true);
  update->add_flag("--dry-run", updated->dry_run, "Only say what it would change");
  update->callback([=, &action] { action = [=](const Context& context) { return update_group(context, *updated); }; });

  add_verb(noun, "list", "List the groups", "warifu enrollment-group list", action, list_groups);
  add_verb_on(noun, "show", kId, "Show one group", "warifu enrollment-group show plant", action, show_group);
  add_verb_on(noun, "keys", kId, "Show the symmetric keys of a group; audited", "warifu enrollment-group keys plant",
              action, show_group_keys);
  add_verb_on(noun, "delete", kId, "Delete a group: its devices are refused from then on",
              "warifu enrollment-group delete plant", action, delete_group);
  add_eks_verbs(noun, action);
  add_verb_on(noun, "devices", kId, "List the devices that came under a group", "warifu enrollment-group devices plant",
              action, list_group_devices);
}

}  // namespace warifu::cli
