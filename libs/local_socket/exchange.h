#pragma once

#include <chrono>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "frames/protocol.h"

namespace warifu::local_socket {

// Sends a request frame on a connected socket and receives the answer's. The errors are those of Client.
Result<SecretBytes> exchange(const frames::Service& service, int socket, ByteView request_frame,
                             std::chrono::milliseconds patience);

// What says that nobody is there.
Error unreachable(const frames::Service& service, std::string message);

}  // namespace warifu::local_socket
