#pragma once

#include "net/stream.h"

namespace warifu::net {

// A connection without TLS: whoever is on the way reads and changes what is said. For answers that protect themselves.
class PlainStream final : public Stream {
 public:
  using Stream::Stream;

  Step read_step(std::span<char> buffer) override;
  Step write_step(std::string_view bytes) override;

  std::shared_ptr<const std::vector<Bytes>> peer_chain() const override { return nullptr; }
  std::optional<TlsVersion> version() const override { return std::nullopt; }

 private:
  Step goodbye_step() override { return {}; }
  bool holds_input() const override { return false; }
  bool has_ended() const override { return has_ended_; }
  Step failed(Want wanted);

  bool has_ended_ = false;
};

}  // namespace warifu::net
