#include "tpm_device/guard_tcti.h"

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "tpm_device/lost_handles.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tpm_device {
namespace {

constexpr std::uint64_t kMagic = 0x7761726966756774;  // "warifugt"
constexpr std::uint32_t kFlushContext = 0x165;

// What the macros of tss2_tcti.h do, which are C.
const TSS2_TCTI_CONTEXT_COMMON_V1& functions_of(const TctiPtr& tcti) {
  return *reinterpret_cast<const TSS2_TCTI_CONTEXT_COMMON_V1*>(tcti.get());
}

}  // namespace

GuardTcti::GuardTcti(TctiPtr inner, tpm::CommandTable table) : inner_(std::move(inner)), table_(table), context_{} {
  static_assert(std::is_standard_layout_v<Context> && offsetof(Context, common) == 0);
  context_.guard = this;
  TSS2_TCTI_CONTEXT_COMMON_V1& functions = context_.common.v1;
  functions.magic = kMagic;
  functions.version = 2;
  functions.transmit = transmit;
  functions.receive = receive;
  // The rest stays null, "not implemented": ESYS calls none of it, and the connection is closed by our destructor.
}

TSS2_TCTI_CONTEXT* GuardTcti::context() {
  return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&context_);
}

GuardTcti& GuardTcti::of(TSS2_TCTI_CONTEXT* context) {
  return *reinterpret_cast<Context*>(context)->guard;
}

std::optional<Error> GuardTcti::take_refusal() {
  return std::exchange(refusal_, std::nullopt);
}

TSS2_RC GuardTcti::refuse(Error why) {
  refusal_ = std::move(why);
  return TSS2_TCTI_RC_GENERAL_FAILURE;
}

TSS2_RC GuardTcti::transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command) {
  if (context == nullptr || command == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
  return of(context).send({command, size});
}

TSS2_RC GuardTcti::send(ByteView command) {
  if (Status allowed = tpm::check_command(table_, command); !allowed) return refuse(std::move(allowed).error());
  command_ = to_bytes(command);
  response_.reset();
  return functions_of(inner_).transmit(inner_.get(), command.size(), command.data());
}

TSS2_RC GuardTcti::receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response,
                           std::int32_t timeout) {
  if (context == nullptr || size == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
  GuardTcti& guard = of(context);
  if (!guard.response_) {
    if (const TSS2_RC rc = guard.fetch(timeout); rc != TSS2_RC_SUCCESS) return rc;
  }
  return guard.hand_over(size, response);
}

// The whole answer at once: half of one cannot be judged.
TSS2_RC GuardTcti::fetch(std::int32_t timeout) {
  Bytes buffer(TPM2_MAX_RESPONSE_SIZE);
  std::size_t size = buffer.size();
  const TSS2_RC rc = functions_of(inner_).receive(inner_.get(), &size, buffer.data(), timeout);
  if (rc != TSS2_RC_SUCCESS) return rc;
  buffer.resize(std::min(size, buffer.size()));
  if (Status fits = tpm::check_response(table_, command_, buffer); !fits) return refuse(std::move(fits).error());
  response_ = std::move(buffer);
  note_handles();
  return TSS2_RC_SUCCESS;
}

// TCTI specification 1.0, 3.2.5.2: no buffer asks for the size; one that is too small leaves the answer where it is.
TSS2_RC GuardTcti::hand_over(std::size_t* size, std::uint8_t* response) {
  const std::size_t room = *size;
  *size = response_->size();
  if (response == nullptr) return TSS2_RC_SUCCESS;
  if (room < response_->size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  std::ranges::copy(*response_, response);
  response_.reset();
  return TSS2_RC_SUCCESS;
}

void GuardTcti::note_handles() {
  const auto header = tpm::parse_command_header(command_);
  const tpm::CommandRule* rule = header ? table_.find(header->code) : nullptr;
  if (rule == nullptr) return;
  const auto command = tpm::parse_command(command_, rule->handles);
  const auto response = tpm::parse_response(*response_, rule->response_handles);
  if (!command || !response) return;
  if (rule->code == kFlushContext) {
    const auto handle = wire::Reader(command->parameters).u32("flushHandle");
    if (handle) live_.erase(*handle);  // also when the TPM said that it is gone
  }
  if (response->code != 0) return;
  live_.insert(response->handles.begin(), response->handles.end());
  for (const tpm::CommandSession& session : command->sessions) {
    if (!session.has(tpm::kContinueSession)) live_.erase(session.handle);
  }
}

void GuardTcti::flush(std::uint32_t handle) {
  const Bytes command = wire::Writer(14).u16(tpm::kNoSessions).u32(14).u32(kFlushContext).u32(handle).take();
  if (send(command) == TSS2_RC_SUCCESS) fetch(TSS2_TCTI_TIMEOUT_BLOCK);
  response_.reset();
  refusal_.reset();
}

void GuardTcti::flush_all() {
  for (const std::uint32_t handle : std::set(live_))
    flush(handle);
  live_.clear();
}

void GuardTcti::flush_lost() {
  for (const Bytes& list : {kListObjects, kListSessions}) {
    const auto response = exchange(list);
    if (!response) return;
    for (const std::uint32_t handle : listed_handles(*response))
      flush(handle);
  }
}

Result<Bytes> GuardTcti::exchange(ByteView command) {
  const Error failed{ErrorKind::kUnavailable, "tpm.unreachable", "the TPM does not answer"};
  const TSS2_TCTI_CONTEXT_COMMON_V1& functions = functions_of(inner_);
  if (functions.transmit(inner_.get(), command.size(), command.data()) != TSS2_RC_SUCCESS) return failed;
  Bytes response(TPM2_MAX_RESPONSE_SIZE);
  std::size_t size = response.size();
  if (functions.receive(inner_.get(), &size, response.data(), TSS2_TCTI_TIMEOUT_BLOCK) != TSS2_RC_SUCCESS)
    return failed;
  response.resize(std::min(size, response.size()));
  return response;
}

}  // namespace warifu::tpm_device
