// boot-replay: extends a software TPM with what a boot log and an IMA list tell, as firmware and kernel of that boot
// did.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <iterator>

#include "esys_tpm.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/ima/list_reader.h"

namespace warifu::test {
namespace {

using crypto::HashAlgorithm;
// Those that every swtpm has active.
constexpr std::array kBanks = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384};

Result<Bytes> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return invalid_input("file.read", "cannot read it", path);
  return Bytes{std::istreambuf_iterator<char>(in), {}};
}

crypto::Digest digest_of(HashAlgorithm algorithm, ByteView bytes) {
  crypto::Digest digest(algorithm);
  std::ranges::copy(bytes, digest.writable().begin());
  return digest;
}

Status replay_event_log(EsysTpm& tpm, const std::string& path) {
  TRY(const auto bytes, read(path));
  TRY(const auto log, measured_boot::parse_event_log(bytes));
  for (const auto& event : log.events()) {
    if (!event.is_measured()) continue;
    std::vector<crypto::Digest> digests;
    for (const HashAlgorithm bank : kBanks)
      if (const ByteView digest = log.digest(event, bank); !digest.empty()) digests.push_back(digest_of(bank, digest));
    TRY_STATUS(tpm.extend(event.register_index, digests));
  }
  return {};
}

// What comes after `from` entries, which were replayed before.
Status replay_ima_list(EsysTpm& tpm, const std::string& path, std::uint64_t from) {
  TRY(const auto bytes, read(path));
  TRY(const auto form, measured_boot::ima::list_form(bytes));
  measured_boot::ima::ListReader reader(bytes, form);
  while (true) {
    TRY(const auto* entry, reader.next());
    if (entry == nullptr) return {};
    if (entry->number <= from) continue;
    std::vector<crypto::Digest> digests;
    for (const HashAlgorithm bank : kBanks)
      digests.push_back(template_digest(*entry, bank));
    TRY_STATUS(tpm.extend(entry->pcr, digests));
  }
}

int run(int argc, char** argv) {
  CLI::App app("Extends a software TPM with what the logs of a boot tell");
  app.footer("Example: boot-replay --tcti swtpm:path=/tmp/tpm --event-log tests/logs/grub/event-log");
  std::string tcti, event_log, ima_list;
  std::uint64_t from = 0;
  app.add_option("--tcti", tcti, "The TPM, as tpm2-tss names it")->required();
  app.add_option("--event-log", event_log, "What firmware and boot loader measured");
  app.add_option("--ima-list", ima_list, "What the kernel measured, binary");
  app.add_option("--ima-from", from, "How many of its entries the TPM knows already");
  CLI11_PARSE(app, argc, argv);
  EsysTpm tpm(tcti);
  Status done;
  if (!event_log.empty()) done = replay_event_log(tpm, event_log);
  if (done && !ima_list.empty()) done = replay_ima_list(tpm, ima_list, from);
  if (done) return 0;
  fmt::print(stderr, "boot-replay: {}\n", to_string(done.error()));
  return 1;
}

}  // namespace
}  // namespace warifu::test

int main(int argc, char** argv) {
  return warifu::test::run(argc, argv);
}
