#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "warifu/commands.h"

// Nouns and verbs as CLI11 parses them: what a verb is to do goes into `action`, and is done when all is parsed.
namespace warifu::cli {

using Action = std::function<Status(const Context&)>;

CLI::App* add_noun(CLI::App& app, const char* name, const char* help);
// A verb whose callback the caller sets.
CLI::App* add_verb(CLI::App* noun, const char* name, const char* help, const char* example);
// A verb that needs nothing but the context.
void add_verb(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
              Status (*run)(const Context&));
// A verb about one thing: `option` names it; it may also stand alone as the only word.
void add_verb_on(CLI::App* noun, const char* name, const char* option, const char* help, const char* example,
                 Action& action, Status (*run)(const Context&, const std::string&));

void add_access_commands(CLI::App& app, Action& action);
void add_enrollment_commands(CLI::App& app, Action& action);
void add_group_commands(CLI::App& app, Action& action);
void add_device_commands(CLI::App& app, Action& action);
void add_attention_commands(CLI::App& app, Action& action);
void add_ek_root_commands(CLI::App& app, Action& action);
void add_root_commands(CLI::App& app, Action& action);
void add_bundle_key_commands(CLI::App& app, Action& action);
void add_attestation_commands(CLI::App& app, Action& action);
void add_policy_commands(CLI::App& app, Action& action);
void add_webhook_commands(CLI::App& app, Action& action);
void add_application_key_commands(CLI::App& app, Action& action);
void add_certificate_commands(CLI::App& app, Action& action);
void add_endorsement_commands(CLI::App& app, Action& action);

}  // namespace warifu::cli
