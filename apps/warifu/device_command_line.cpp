#include <memory>

#include "warifu/command_line.h"

namespace warifu::cli {
namespace {

void add_device(CLI::App& app, Action& action) {
  constexpr const char* kId = "--registration-id,--device-id";
  auto* noun = add_noun(app, "device", "Devices that came and proved themselves");
  auto* list = add_verb(noun, "list", "List the devices", "warifu device list --group plant");
  const auto group = std::make_shared<std::string>();
  list->add_option("--group", *group, "Only those of this enrollment group")->type_name("ID");
  list->callback([=, &action] { action = [=](const Context& context) { return list_devices(context, *group); }; });
  add_verb_on(noun, "show", kId, "Show one device", "warifu device show meter-1", action, show_device);
  add_verb_on(noun, "hub-key", kId, "Show a device's hub key, for a hub that is not ours; audited",
              "warifu device hub-key meter-1", action, show_hub_key);
  auto* escrow = add_verb(noun, "escrow",
                          "Show or fetch what a device deposited: the lockout password of its TPM, encrypted; audited",
                          "warifu device escrow meter-1 --out meter-1.cms");
  const auto options = std::make_shared<EscrowOptions>();
  escrow->add_option("--registration-id,--device-id,id", options->device_id, "The ID")->required()->type_name("ID");
  escrow->add_option("--out", options->out_file, "Write the newest package here (CMS, DER), for `warifud escrow open`")
      ->type_name("FILE");
  escrow->add_option("--number", options->number, "Write this one instead");
  escrow->callback([=, &action] { action = [=](const Context& context) { return show_escrow(context, *options); }; });
}

}  // namespace

void add_device_commands(CLI::App& app, Action& action) {
  add_device(app, action);
  auto* noun = add_noun(app, "registration", "What became of a registration ID");
  auto* list = add_verb(noun, "list", "List the devices by what they came as, and who waits for what",
                        "warifu registration list --waiting");
  const auto only_waiting = std::make_shared<bool>(false);
  list->add_flag("--waiting", *only_waiting, "Only those that wait for an operator or for their attestation");
  list->callback(
      [=, &action] { action = [=](const Context& context) { return list_registrations(context, *only_waiting); }; });
  add_verb_on(noun, "explain", "--registration-id", "Say where a device is, or why it does not come",
              "warifu registration explain meter-1", action, explain_registration);
}

}  // namespace warifu::cli
