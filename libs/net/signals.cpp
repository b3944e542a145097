#include "net/signals.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace warifu::net {

struct Signals::State {
  boost::asio::io_context io;
  boost::asio::signal_set set{io};
};

Signals::Signals(std::initializer_list<int> signals) : state_(std::make_unique<State>()) {
  for (const int signal : signals)
    state_->set.add(signal);
}

Signals::~Signals() = default;

int Signals::wait() {
  int caught = 0;
  state_->set.async_wait([&caught](const boost::system::error_code&, int signal) { caught = signal; });
  state_->io.restart();
  state_->io.run();
  return caught;
}

}  // namespace warifu::net
