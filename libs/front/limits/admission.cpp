#include "front/limits/admission.h"

#include <algorithm>

#include "net/peer_network.h"

namespace warifu::front {
namespace {

// IDs are compared without case: another spelling is no other bucket.
std::string folded(std::string_view id) {
  std::string text(id);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

// Where a request waits; given back when it goes on, or when the timers drop it.
class Admission::Place {
 public:
  Place(Admission& admission, std::uint64_t address) : admission_(admission), address_(address) {}
  ~Place() { admission_.give_back(address_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  Admission& admission_;
  const std::uint64_t address_;
};

Admission::Admission(const RequestLimits& limits, const MonotonicClock& clock, Entropy& entropy, net::Timers& timers,
                     Metrics& metrics)
    : limits_(limits),
      clock_(clock),
      timers_(timers),
      metrics_(metrics),
      addresses_(limits.address, limits.address_slots, entropy),
      registrations_(limits.registration, limits.registration_slots, entropy) {
}

std::optional<Admission::Refused> Admission::admit(const Asking& asking, std::function<void()> go_on) {
  auto decision = decide(asking);
  if (decision.refused) {
    metrics_.count_throttled(decision.refused->by);
    return decision.refused;
  }
  if (!decision.place) {
    go_on();
    return std::nullopt;
  }
  metrics_.count_delayed();
  timers_.post_after(std::chrono::ceil<std::chrono::milliseconds>(decision.wait),
                     [place = std::move(decision.place), go_on = std::move(go_on)]() mutable {
                       place.reset();
                       go_on();
                     });
  return std::nullopt;
}

Admission::Decision Admission::decide(const Asking& asking) {
  const std::string network = net::peer_network(asking.peer_address);
  const std::uint64_t address_key = addresses_.key_of({network});
  const std::uint64_t registration_key = asking.id.empty() ? 0 : registrations_.key_of({network, folded(asking.id)});

  const std::uint32_t cost = asking.makes_challenge ? limits_.challenge_cost : 1;

  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  auto address = addresses_.find(address_key, now);
  auto wait = address.wait(1);
  LimitedBy by = LimitedBy::kAddress;
  std::optional<RateTable::Bucket> registration;
  if (!asking.id.empty()) {
    registration.emplace(registrations_.find(registration_key, now));
    if (const auto longer = registration->wait(cost); longer > wait) {
      wait = longer;
      by = LimitedBy::kRegistration;
    }
  }
  const auto refuse = [&] {
    // A refusal is work too, and costs the address a token while it has one.
    if (address.wait(1) == std::chrono::nanoseconds(0)) address.take(1);
    return Decision{Refused{by, std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1))}};
  };
  if (wait > limits_.wait_max) return refuse();
  Decision decision{.wait = wait};
  if (wait > std::chrono::nanoseconds(0)) {
    decision.place = take_place(address_key);
    if (!decision.place) return refuse();
  }
  address.take(1);
  if (registration) registration->take(cost);
  return decision;
}

std::shared_ptr<Admission::Place> Admission::take_place(std::uint64_t address) {
  if (waiting_total_ >= limits_.waiting_max) return nullptr;
  auto& waiting = waiting_[address];
  if (waiting >= limits_.waiting_per_address_max) return nullptr;
  ++waiting;
  ++waiting_total_;
  metrics_.add_waiting(+1);
  return std::make_shared<Place>(*this, address);
}

void Admission::give_back(std::uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(address);
  if (--found->second == 0) waiting_.erase(found);
  --waiting_total_;
  metrics_.add_waiting(-1);
}

}  // namespace warifu::front
