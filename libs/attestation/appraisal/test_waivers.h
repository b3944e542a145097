#pragma once

#include <fmt/format.h>

#include <string>

#include "attestation/appraisal/allowances.h"
#include "crypto/private_key.h"

// What an operator's key signed for a model of machine.
namespace warifu::attestation {

inline const endorsement::MachineMatch kBox{"Acme", "Box", "1.2"};

inline endorsement::FirmwareQuirks signed_quirks(const std::string& quirks, const std::string& waivers) {
  const std::string text =
      fmt::format(R"({{"format":"warifu.firmware-quirks.v1","quirks":[{}],"waivers":[{}]}})", quirks, waivers);
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto checked = endorsement::SignedText::check(text, key.sign(as_bytes(text)), key.public_key());
  return endorsement::FirmwareQuirks::load(checked.value()).value();
}

inline std::string quirk(const std::string& name, const std::string& product = "Box") {
  return fmt::format(R"({{"id":"quirk-1","machine":{{"manufacturer":"Acme","product":"{}"}},"quirk":"{}",)"
                     R"("source":"https://acme.example/1"}})",
                     product, name);
}

inline std::string waiver(unsigned pcr, const std::string& product = "Box", const std::string& until = "2099-12-31",
                          const std::string& bank = "sha256") {
  return fmt::format(R"({{"id":"waiver-1","machine":{{"manufacturer":"Acme","product":"{}"}},"bank":"{}","pcr":{},)"
                     R"("reason":"never replays","approved_by":"ops","until":"{}"}})",
                     product, bank, pcr, until);
}

}  // namespace warifu::attestation
