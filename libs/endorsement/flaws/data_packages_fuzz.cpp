#include <array>
#include <cstdlib>
#include <string>

#include "crypto/private_key.h"
#include "endorsement/flaws/flaw_table.h"
#include "endorsement/flaws/quirks.h"

namespace {

using namespace warifu;
using namespace warifu::endorsement;

// Loaders take nothing that nobody signed.
SignedText signed_text(const std::string& text) {
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  return SignedText::check(text, key.sign(as_bytes(text)), key.public_key()).value();
}

// Whatever the table says: what clears a TPM was confirmed, and without a maker nothing is known.
void judge(const FlawTable& table) {
  for (const char* vendor : {"IFX", "NTC", "STM"}) {
    for (const char* firmware : {"0", "2.0", "7.62", "1.3.2.20"}) {
      const TpmUnderTest tpm{VendorId::parse(vendor), "M", FirmwareVersion::parse(firmware), {}};
      for (const FlawJudgement& judged : table.judge(tpm))
        if (judged.verdict == FlawVerdict::kNotAffected && (!judged.source || !judged.source->is_confirmed()))
          std::abort();
    }
  }
  for (const FlawJudgement& judged : table.judge({}))
    if (judged.verdict != FlawVerdict::kUnknown) std::abort();
}

// A quirk or waiver is never for every machine of the world.
void match(const FirmwareQuirks& quirks) {
  const MachineMatch nobody{"", "", ""};
  if (!quirks.quirks_of(nobody).empty() || !quirks.waivers_of(nobody, Timestamp()).empty()) std::abort();
}

}  // namespace

// A flaw table or a package of quirks that somebody signed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text(ByteView(data, size)));
  const SignedText package = signed_text(text);
  if (const auto table = FlawTable::load(package)) judge(*table);
  if (const auto quirks = FirmwareQuirks::load(package)) match(*quirks);
  return 0;
}
