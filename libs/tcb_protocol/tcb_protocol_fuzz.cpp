#include <algorithm>

#include "frames/frame.h"
#include "tcb_protocol/codec.h"
#include "tcb_protocol/sample_messages.h"
#include "tcb_protocol/service.h"

namespace {

using namespace warifu;
using namespace warifu::tcb_protocol;

// What was read is written as the same bytes: no message has two forms.
void expect_same(const Result<SecretBytes>& again, ByteView frame) {
  if (again && !std::ranges::equal(again->reveal(), frame)) __builtin_trap();
}

template <std::size_t... kIndices>
void try_answers(ByteView frame, std::index_sequence<kIndices...>) {
  (expect_same(write_answer_again<std::variant_alternative_t<kIndices, Request>>(frame), frame), ...);
}

}  // namespace

// A frame from either side. A request is also answered, whatever it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView frame(data, size);
  expect_same(write_request_again(frame), frame);
  try_answers(frame, std::make_index_sequence<std::variant_size_v<Request>>());
  const auto length = frames::frame_size(kProtocol, frame);
  if (length && *length > frames::kFrameMax) __builtin_trap();
  const SecretBytes refusal = encode_error(frame, {ErrorKind::kRefused, "fuzz.no", std::string(as_text(frame))});
  if (!frames::frame_size(kProtocol, refusal.reveal()) ||
      *frames::frame_size(kProtocol, refusal.reveal()) != refusal.size())
    __builtin_trap();
  return 0;
}
