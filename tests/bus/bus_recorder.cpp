#include "bus_recorder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace warifu::bus {
namespace {

constexpr const char* kControlSuffix = ".ctrl";

// Takes the first whole message out of the buffer; empty when there is none yet.
Bytes take_message(Bytes& buffer) {
  const std::size_t size = announced_size(buffer);
  if (size < kHeaderSize || buffer.size() < size) return {};
  const auto end = buffer.begin() + static_cast<std::ptrdiff_t>(size);
  Bytes message(buffer.begin(), end);
  buffer.erase(buffer.begin(), end);
  return message;
}

bool lies_about_its_size(const Bytes& buffer) {
  const std::size_t size = announced_size(buffer);
  return buffer.size() >= 6 && (size < kHeaderSize || size > kMaxMessageSize);
}

bool pass_on(Bytes& buffer, const Descriptor& to) {
  return send_all(to, std::exchange(buffer, {}));
}

}  // namespace

Result<std::unique_ptr<BusRecorder>> BusRecorder::start(std::string listen_path, std::string swtpm_path, Sink sink) {
  std::unique_ptr<BusRecorder> out(new BusRecorder(std::move(listen_path), std::move(swtpm_path), std::move(sink)));
  // The control socket first: who waits for PATH finds both.
  TRY(out->controls_, listen_on(out->listen_path_ + kControlSuffix));
  TRY(out->commands_, listen_on(out->listen_path_));
  out->stop_ = Descriptor(eventfd(0, EFD_CLOEXEC));
  if (!out->stop_) std::abort();
  out->thread_ = std::thread([recorder = out.get()] { recorder->run(); });
  return out;
}

BusRecorder::BusRecorder(std::string listen_path, std::string swtpm_path, Sink sink)
    : listen_path_(std::move(listen_path)), swtpm_path_(std::move(swtpm_path)), sink_(std::move(sink)) {
}

BusRecorder::~BusRecorder() {
  if (!thread_.joinable()) return;
  if (eventfd_write(stop_.get(), 1) != 0) std::abort();
  thread_.join();
  unlink(listen_path_.c_str());
  unlink((listen_path_ + kControlSuffix).c_str());
}

Recording BusRecorder::recording() const {
  const std::lock_guard lock(mutex_);
  return recording_;
}

Recording BusRecorder::take_recording() {
  const std::lock_guard lock(mutex_);
  return std::exchange(recording_, {});
}

void BusRecorder::arm(Flip flip) {
  const std::lock_guard lock(mutex_);
  flip_ = flip;
  flipped_ = false;
}

bool BusRecorder::disarm() {
  const std::lock_guard lock(mutex_);
  flip_.reset();
  return std::exchange(flipped_, false);
}

void BusRecorder::run() {
  for (;;) {
    std::vector<pollfd> watched = {
        {stop_.get(), POLLIN, 0}, {commands_.get(), POLLIN, 0}, {controls_.get(), POLLIN, 0}};
    for (const Link& link : links_) {
      watched.push_back({link.host.get(), POLLIN, 0});
      watched.push_back({link.tpm.get(), POLLIN, 0});
    }
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0) return;
    std::size_t next = 3;
    for (auto link = links_.begin(); link != links_.end(); next += 2)
      link = pump(*link, watched[next].revents, watched[next + 1].revents) ? std::next(link) : links_.erase(link);
    if (watched[1].revents != 0) accept_link(commands_, swtpm_path_, true);
    if (watched[2].revents != 0) accept_link(controls_, swtpm_path_ + kControlSuffix, false);
  }
}

void BusRecorder::accept_link(const Descriptor& listener, const std::string& swtpm_path, bool carries_commands) {
  Descriptor host(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  auto tpm = connect_to(swtpm_path);
  if (!host || !tpm) return;  // the host sees its connection end
  links_.push_back({carries_commands, std::move(host), *std::move(tpm)});
}

// False when the link is at its end. What the TPM said last still goes out when it hangs up behind it.
bool BusRecorder::pump(Link& link, short host_events, short tpm_events) {
  if (tpm_events != 0) {
    const bool open = receive_into(link.tpm, link.from_tpm);
    const bool sent = link.carries_commands ? forward_responses(link) : pass_on(link.from_tpm, link.host);
    if (!open || !sent) return false;
  }
  if (host_events == 0) return true;
  if (!receive_into(link.host, link.from_host)) return false;
  return link.carries_commands ? forward_commands(link) : pass_on(link.from_host, link.tpm);
}

bool BusRecorder::forward_commands(Link& link) {
  for (Bytes command = take_message(link.from_host); !command.empty(); command = take_message(link.from_host)) {
    keep(Direction::kCommand, command);
    link.command_code = code_of(command);
    if (!send_all(link.tpm, command)) return false;
  }
  return !lies_about_its_size(link.from_host);
}

bool BusRecorder::forward_responses(Link& link) {
  for (Bytes response = take_message(link.from_tpm); !response.empty(); response = take_message(link.from_tpm)) {
    const std::size_t size = response.size();
    const bool flipped = apply_flip(link.command_code, response);
    keep(Direction::kResponse, response);
    if (!send_all(link.host, response)) return false;
    if (flipped && announced_size(response) != size) return false;
  }
  return !lies_about_its_size(link.from_tpm);
}

bool BusRecorder::apply_flip(std::uint32_t command_code, Bytes& response) {
  const std::lock_guard lock(mutex_);
  if (!flip_ || flip_->command_code != command_code) return false;
  if (flip_->occurrence > 0) {
    --flip_->occurrence;
    return false;
  }
  const Flip flip = *std::exchange(flip_, std::nullopt);
  if (flip.offset >= response.size()) return false;
  response[flip.offset] ^= flip.mask;
  return flipped_ = true;
}

void BusRecorder::keep(Direction direction, ByteView bytes) {
  Message message{direction, to_bytes(bytes)};
  if (sink_) sink_(message);
  const std::lock_guard lock(mutex_);
  recording_.push_back(std::move(message));
}

}  // namespace warifu::bus
