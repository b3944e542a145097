#include "signing_keys/argon2id.h"

#include <argon2.h>
#include <fmt/format.h>

namespace warifu::signing_keys {
namespace {

constexpr std::uint32_t kMemoryKibMax = 1024 * 1024;
constexpr std::uint32_t kPassesMax = 16;
constexpr std::uint32_t kLanesMax = 16;
constexpr std::uint32_t kKibPerLane = 8;  // RFC 9106 §3.1

Status check(const Argon2idCost& cost) {
  const bool is_sound = cost.lanes >= 1 && cost.lanes <= kLanesMax && cost.passes >= 1 && cost.passes <= kPassesMax &&
                        cost.memory_kib >= kKibPerLane * cost.lanes && cost.memory_kib <= kMemoryKibMax;
  if (is_sound) return {};
  return invalid_input("argon2id.cost",
                       fmt::format("expected at most {} KiB, {} passes and {} lanes, found {}, {}, {}", kMemoryKibMax,
                                   kPassesMax, kLanesMax, cost.memory_kib, cost.passes, cost.lanes));
}

}  // namespace

Result<SecretBytes> argon2id(const SecretBytes& passphrase, ByteView salt, const Argon2idCost& cost, std::size_t size) {
  TRY_STATUS(check(cost));
  SecretBytes key(size);
  const ByteView password = passphrase.reveal();
  const auto out = key.reveal_writable();
  const int code = argon2id_hash_raw(cost.passes, cost.memory_kib, cost.lanes, password.data(), password.size(),
                                     salt.data(), salt.size(), out.data(), out.size());
  if (code == ARGON2_OK) return key;
  if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
    return Error{
        ErrorKind::kUnavailable, "argon2id.memory",
        fmt::format("Argon2id needs {} MiB of memory, which the system does not give", cost.memory_kib / 1024)};
  if (code == ARGON2_THREAD_FAIL)
    return Error{ErrorKind::kUnavailable, "argon2id.threads",
                 fmt::format("Argon2id needs {} threads, which the system does not give", cost.lanes)};
  return invalid_input("argon2id.cost", argon2_error_message(code));
}

}  // namespace warifu::signing_keys
