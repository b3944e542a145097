#include <memory>

#include "warifu/command_line.h"

namespace warifu::cli {
namespace {

void add_decision(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
                  Status (*run)(const Context&, const DecisionOptions&)) {
  auto* verb = add_verb(noun, name, help, example);
  const auto options = std::make_shared<DecisionOptions>();
  verb->add_option("--registration-id,id", options->registration_id, "The ID")->required()->type_name("ID");
  auto* ek = verb->add_option("--ek-name", options->ek_name,
                              "The EK that approval list showed. With --srk-name: if the device waits with other keys "
                              "by now, nothing is decided. Without the two, the keys that it waits with now are shown "
                              "and sent");
  auto* srk = verb->add_option("--srk-name", options->srk_name, "The storage root key that approval list showed");
  ek->needs(srk)->type_name("HEX");
  srk->needs(ek)->type_name("HEX");
  verb->callback([=, &action] { action = [=](const Context& context) { return run(context, *options); }; });
}

}  // namespace

void add_attention_commands(CLI::App& app, Action& action) {
  auto* approval = add_noun(app, "approval", "Devices that wait for an operator's decision");
  add_verb(approval, "list", "List the devices that wait", "warifu approval list", action, list_approvals);
  add_decision(approval, "approve", "Let the device go on with the keys that it waits with",
               "warifu approval approve meter-1 --ek-name 000b5d… --srk-name 000b9a…", action, approve);
  add_decision(approval, "reject", "End the registration that waits",
               "warifu approval reject meter-1 --ek-name 000b5d… --srk-name 000b9a…", action, reject);

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
