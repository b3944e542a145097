#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "front/dps/attempt_log.h"
#include "front/http/route.h"
#include "verifier/desk.h"

namespace warifu::front::device {

// Whose the path is: its parameters 0 (ID scope) and 1 (registration ID). An ID that cannot exist is answered like one
// that does not.
Result<verifier::DeviceKey> device_of(const std::vector<std::string>& parameters);

// The token of Authorization. Empty without one: then no token is right.
std::string_view bearer_of(const net::HttpRequest& request);

// kInvalidInput "http.body_too_large".
Status check_body_size(const net::HttpRequest& request, std::size_t size_max);

// Calls of our own devices whose refusals their operators shall find in the diary, whenever they come: at once, or when
// a change was made. The objects that it is given outlive it.
class Visits {
 public:
  using Handler = std::function<Result<Answer>(const Call&, const verifier::DeviceKey&)>;

  Visits(const verifier::Desk& desk, dps::AttemptLog& attempts, const Clock& clock)
      : desk_(desk), attempts_(attempts), clock_(clock) {}

  // Finds out whose the path is, runs the handler, and writes a refusal down as of this stage.
  Result<Answer> run(const Call& call, std::string_view stage, const Handler& handle) const;

 private:
  // What the diary needs of a call, also when it has gone.
  struct NotedCall {
    std::string tracking_id;
    std::string peer_address;
    std::string stage;
    dps::AttemptLog::Standing standing;
  };
  void note(const NotedCall& call, const verifier::DeviceKey& device, const Error& error) const;

  const verifier::Desk& desk_;
  dps::AttemptLog& attempts_;
  const Clock& clock_;
};

}  // namespace warifu::front::device
