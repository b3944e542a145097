#include <algorithm>

#include "frames/frame.h"
#include "signer_protocol/codec.h"

namespace {

using namespace warifu;
using namespace warifu::signer_protocol;

// What was read is written as the same bytes: no message has two forms.
void expect_same(const Result<SecretBytes>& again, ByteView frame) {
  if (again && !std::ranges::equal(again->reveal(), frame)) __builtin_trap();
}

Result<SecretBytes> write_request_again(ByteView frame) {
  TRY(const Request request, decode_request(frame));
  return std::visit([](const auto& message) { return encode_request(message); }, request);
}

template <class R>
Result<SecretBytes> write_answer_again(ByteView frame) {
  TRY(const auto answer, decode_answer<R>(frame));
  return encode_answer<R>(answer);
}

}  // namespace

// A frame from either side. A request is also answered, whatever it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView frame(data, size);
  expect_same(write_request_again(frame), frame);
  expect_same(write_answer_again<Organisation>(frame), frame);
  expect_same(write_answer_again<CertifyNode>(frame), frame);
  expect_same(write_answer_again<OpenEscrow>(frame), frame);
  expect_same(write_answer_again<CertifyDevice>(frame), frame);
  expect_same(write_answer_again<CertifyResponder>(frame), frame);
  expect_same(write_answer_again<BeginCrl>(frame), frame);
  expect_same(write_answer_again<AddToCrl>(frame), frame);
  expect_same(write_answer_again<FinishCrl>(frame), frame);
  const SecretBytes refusal =
      frames::encode_error(kProtocol, frame, {ErrorKind::kRefused, "fuzz.no", std::string(as_text(frame))});
  const auto length = frames::frame_size(kProtocol, refusal.reveal());
  if (!length || *length != refusal.size()) __builtin_trap();
  return 0;
}
