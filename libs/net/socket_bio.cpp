#include "net/socket_bio.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace warifu::net {
namespace {

SocketBio& link_of(BIO* bio) {
  return *static_cast<SocketBio*>(BIO_get_data(bio));
}

// A closed socket has -1 for a descriptor: EBADF.
int receive(BIO* bio, char* data, int size) {
  SocketBio& link = link_of(bio);
  BIO_clear_retry_flags(bio);
  const std::size_t wanted = std::min(static_cast<std::size_t>(std::max(size, 0)), link.input_left);
  if (wanted == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const ssize_t received = ::recv(link.socket.native_handle(), data, wanted, 0);
  if (received > 0) link.input_left -= static_cast<std::size_t>(received);
  link.has_ended = received == 0;
  if (link.has_ended || (received < 0 && is_temporary_socket_error(errno))) BIO_set_retry_read(bio);
  return received > 0 ? static_cast<int>(received) : -1;
}

// The client waits for no session ticket. It goes out with the first response, or after the kernel's 200 ms.
bool has_time(const SocketBio& link) {
  return link.is_last_but_one || SSL_get_state(link.ssl) == TLS_ST_SW_SESSION_TICKET;
}

int send(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const SocketBio& link = link_of(bio);
  const int flags = MSG_NOSIGNAL | (has_time(link) ? MSG_MORE : 0);
  const ssize_t sent = ::send(link.socket.native_handle(), data, static_cast<std::size_t>(std::max(size, 0)), flags);
  if (sent < 0 && is_temporary_socket_error(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

std::shared_ptr<BIO_METHOD> make_method() {
  std::shared_ptr<BIO_METHOD> method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection"),
                                     BIO_meth_free);
  if (method == nullptr || BIO_meth_set_read(method.get(), receive) != 1 ||
      BIO_meth_set_write(method.get(), send) != 1 || BIO_meth_set_ctrl(method.get(), control) != 1)
    return nullptr;
  return method;
}

}  // namespace

bool is_temporary_socket_error(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

BIO* make_socket_bio(SocketBio& link) {
  static const std::shared_ptr<BIO_METHOD> method = make_method();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method.get());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &link);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace warifu::net
