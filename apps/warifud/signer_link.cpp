#include "warifud/signer_link.h"

#include "keystore/data_dir.h"
#include "local_socket/client.h"
#include "signer_protocol/service.h"

namespace warifu::warifud {
namespace {

// A token or a TPM may be slow; a person waits at the other end of some requests.
constexpr std::chrono::seconds kPatience{20};

}  // namespace

SignerLink::Own::Own(process::Child started, local_socket::Descriptor socket)
    : child(std::move(started)), client(signer_protocol::kService, std::move(socket), kPatience) {
}

Status SignerLink::start() {
  TRY(const auto program, process::sibling_program("warifu-signer"));
  TRY(auto sockets, local_socket::connected_pair());
  TRY(auto child, process::Child::start(
                      {program, "serve", "--dir", keystore::DataDir(place_.data_dir).signer().string(), "--connected"},
                      sockets.second.get()));
  own_.emplace(std::move(child), std::move(sockets.first));
  return {};
}

void SignerLink::end_own() {
  const std::lock_guard turn(mutex_);
  own_.reset();
}

Result<SecretBytes> SignerLink::exchange(ByteView request_frame) {
  if (place_.signer)
    return local_socket::Client(signer_protocol::kService, *place_.signer, kPatience).exchange(request_frame);
  const std::lock_guard turn(mutex_);
  const bool was_there = own_.has_value();
  if (!was_there) TRY_STATUS(start());
  const auto began = std::chrono::steady_clock::now();
  auto answer = own_->client.exchange(request_frame);
  if (answer) return answer;
  own_.reset();
  // One that just began does no better the second time, and has said why in its log; one that was slow may have signed.
  if (!was_there || std::chrono::steady_clock::now() - began > kPatience / 2) return answer;
  TRY_STATUS(start());
  answer = own_->client.exchange(request_frame);
  if (!answer) own_.reset();
  return answer;
}

}  // namespace warifu::warifud
