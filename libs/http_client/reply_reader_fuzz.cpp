#include <cstdlib>

#include "http_client/reply_reader.h"

// Lines as libcurl hands them over; what is kept holds what transport.h promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = warifu::as_text({data, size});
  warifu::http_client::ReplyReader reader;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    reader.add_header(rest.substr(0, end));
    if (!reader.add_body(rest.substr(0, end))) break;
    rest.remove_prefix(end);
  }
  const auto reply = reader.take(200);
  if (reply.body.size() > warifu::agent::kReplyBodyMax || reply.request_id.size() > 64) std::abort();
  if (reply.retry_after && (reply.retry_after->count() < 0 || reply.retry_after->count() > 86'400)) std::abort();
  return 0;
}
