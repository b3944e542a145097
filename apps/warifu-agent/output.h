#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "warifu-agent/commands.h"

namespace warifu::agent_app {

// One line of JSON, or a line for each member with its name: "device_id" becomes "device id".
void print(const Context& context, const boost::json::object& record);

// At most `size_max` bytes of a file or of standard input. kInvalidInput "input.size", kUnavailable "input.read".
Result<SecretBytes> read_input(const std::string& path, std::size_t size_max);
// Into a file that only its owner can read, or to standard output. kUnavailable "output.write".
Status write_output(const std::string& path, ByteView content);

}  // namespace warifu::agent_app
