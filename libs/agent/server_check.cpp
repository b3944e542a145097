#include "agent/server_check.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {

Result<Bytes> TcbServerCheck::begin() {
  server_name_.clear();
  TRY(auto answer, tcb_protocol::call(tcb_, tcb_protocol::BeginServerCheck{}));
  return std::move(answer.nonce);
}

Status TcbServerCheck::judge(std::vector<Bytes> handshake) {
  TRY(auto answer, tcb_protocol::call(tcb_, tcb_protocol::CheckServer{std::move(handshake)}));
  server_name_ = std::move(answer.server_name);
  return {};
}

}  // namespace warifu::agent
