#pragma once

#include <string>

#include "warifu/command_line.h"

// Verbs that work on files of evidence and ask no server.
namespace warifu::cli {

// A verb about one file, "-" being the standard input.
void add_verb_on_file(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
                      Status (*run)(const Context&, const std::string&));

void add_eventlog_commands(CLI::App& app, Action& action);
Status show_event_log(const Context& context, const std::string& file);
// `before`: a log of firmware, which `file` goes on from; empty for none.
Status replay_event_log(const Context& context, const std::string& file, const std::string& before);

}  // namespace warifu::cli
