#include <memory>

#include "warifu/command_line.h"

namespace warifu::cli {

void add_attention_commands(CLI::App& app, Action& action) {
  auto* approval = add_noun(app, "approval", "Devices that wait for an operator's decision");
  add_verb(approval, "list", "List the devices that wait", "warifu approval list", action, list_approvals);
  add_verb_on(approval, "approve", "--registration-id", "Let the device go on with the keys that it has now",
              "warifu approval approve meter-1", action, approve);
  add_verb_on(approval, "reject", "--registration-id", "End the registration that waits",
              "warifu approval reject meter-1", action, reject);

  auto* alert = add_noun(app, "alert", "What an operator should look at");
  add_verb(alert, "list", "List the alerts", "warifu alert list", action, list_alerts);
  auto* acknowledge =
      add_verb(alert, "acknowledge", "Note that it was looked at; the same again takes that back",
               "warifu alert acknowledge --registration-id meter-1 --kind ek.duplicate --subject meter-2");
  const auto options = std::make_shared<AlertOptions>();
  acknowledge->add_option("--registration-id", options->registration_id, "As alert list shows it")
      ->required()
      ->type_name("ID");
  acknowledge->add_option("--kind", options->kind, "As alert list shows it")->required();
  acknowledge->add_option("--subject", options->subject, "As alert list shows it")->required();
  acknowledge->callback(
      [=, &action] { action = [=](const Context& context) { return acknowledge_alert(context, *options); }; });
}

}  // namespace warifu::cli
