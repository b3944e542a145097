#include <memory>

#include "warifu/command_line.h"
#include "warifu/statement_command_line.h"

namespace warifu::cli {
namespace {

void add_options(CLI::App* verb, EnrollmentOptions& options, bool is_update) {
  verb->add_option("--registration-id,id", options.registration_id, "What the device calls itself")
      ->required()
      ->type_name("ID");
  auto* group = add_credential_options(verb, options.credential, StatementKind::kEnrollment);
  if (!is_update) group->require_option(1);
  verb->add_option("--device-id", options.device_id, "What its hub calls it (the registration ID)")->type_name("ID");
  add_terms_options(verb, options.terms);
}

}  // namespace

void add_enrollment_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "enrollment", "Devices that may come");
  const auto created = std::make_shared<EnrollmentOptions>();
  auto* create = add_verb(noun, "create", "Enroll a device by its TPM, its certificate or its symmetric keys",
                          "warifu enrollment create --registration-id meter-1 --tpm-ek ek.pub");
  add_options(create, *created, /*is_update=*/false);
  create->callback(
      [=, &action] { action = [=](const Context& context) { return create_enrollment(context, *created); }; });

  const auto updated = std::make_shared<EnrollmentOptions>();
  auto* update = add_verb(noun, "update", "Change what the options name, and nothing else",
                          "warifu enrollment update meter-1 --tpm-ek new-ek.pub --dry-run");
  add_options(update, *updated, /*is_update=*/true);
  update->add_flag("--dry-run", updated->dry_run, "Only say what it would change");
  update->callback(
      [=, &action] { action = [=](const Context& context) { return update_enrollment(context, *updated); }; });

  constexpr const char* kId = "--registration-id";
  add_verb(noun, "list", "List the enrollments", "warifu enrollment list", action, list_enrollments);
  add_verb_on(noun, "show", kId, "Show one enrollment", "warifu enrollment show --registration-id meter-1", action,
              show_enrollment);
  add_verb_on(noun, "enable", kId, "Let the device in again", "warifu enrollment enable meter-1", action,
              enable_enrollment);
  add_verb_on(noun, "disable", kId, "Refuse the device until it is enabled again", "warifu enrollment disable meter-1",
              action, disable_enrollment);
  add_verb_on(noun, "keys", kId, "Show the symmetric keys of an enrollment; audited", "warifu enrollment keys lamp-1",
              action, show_enrollment_keys);
  add_verb_on(noun, "delete", kId, "Delete an enrollment: the device is refused from then on",
              "warifu enrollment delete --registration-id meter-1", action, delete_enrollment);
}

}  // namespace warifu::cli
