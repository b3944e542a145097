#include "local_socket/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "frames/frame.h"

namespace warifu::local_socket {

short Connection::wanted_events() const {
  return answer_.empty() ? POLLIN : POLLOUT;
}

Connection::Progress Connection::receive(std::span<std::uint8_t> into, std::size_t& filled) {
  while (filled < into.size()) {
    const ssize_t got = ::recv(socket_.get(), into.data() + filled, into.size() - filled, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Progress::kWaiting;
    if (got <= 0) return Progress::kOver;
    filled += static_cast<std::size_t>(got);
    if (!deadline_) deadline_ = std::chrono::steady_clock::now() + patience_;
  }
  return Progress::kDone;
}

Connection::Progress Connection::read_request() {
  if (request_.empty()) {
    if (const Progress progress = receive(header_, header_filled_); progress != Progress::kDone) return progress;
    const auto size = frames::frame_size(protocol_, header_);
    if (!size) {
      is_last_answer_ = true;
      answer_with(frames::encode_error(protocol_, header_, size.error()));
      return Progress::kDone;
    }
    // No byte beyond this frame is read, and the buffer never grows: nothing of a secret is left elsewhere.
    request_ = SecretBytes(*size);
    std::ranges::copy(header_, request_.reveal_writable().begin());
    request_filled_ = header_.size();
  }
  return receive(request_.reveal_writable(), request_filled_);
}

void Connection::answer_with(SecretBytes answer) {
  answer_ = std::move(answer);
  answer_sent_ = 0;
  request_ = SecretBytes();
  header_filled_ = 0;
  deadline_ = std::chrono::steady_clock::now() + patience_;
}

bool Connection::write_answer() {
  while (answer_sent_ < answer_.size()) {
    const ByteView rest = answer_.reveal().subspan(answer_sent_);
    const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (sent <= 0) return false;
    answer_sent_ += static_cast<std::size_t>(sent);
  }
  answer_ = SecretBytes();
  deadline_.reset();
  return !is_last_answer_;
}

bool Connection::advance(const Handler& handler) {
  if (answer_.empty()) {
    const Progress progress = read_request();
    if (progress == Progress::kOver) return false;
    if (progress == Progress::kWaiting) return true;
    if (answer_.empty()) answer_with(handler(peer_, request_.reveal()));
    if (answer_.empty()) return false;
  }
  return write_answer();
}

}  // namespace warifu::local_socket
