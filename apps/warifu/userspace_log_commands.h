#pragma once

#include <string>

#include "base/bytes.h"
#include "warifu/command_line.h"

// What `warifu eventlog` does with a log of systemd's measurements.
namespace warifu::cli {

Status show_userspace_log(const Context& context, ByteView bytes);
// `before`: the file with firmware's log, which this one goes on from; empty for none.
Status replay_userspace_log(const Context& context, ByteView bytes, const std::string& before);

}  // namespace warifu::cli
