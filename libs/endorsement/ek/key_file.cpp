#include "endorsement/ek/key_file.h"

#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/pem.h"

namespace warifu::endorsement {
namespace {

Result<SubjectKey> parse_spki(ByteView content) {
  wire::DerReader outer(content);
  TRY(wire::DerReader spki, outer.enter(wire::der::kSequence, "subjectPublicKeyInfo"));
  TRY_STATUS(outer.expect_done("subjectPublicKeyInfo"));
  std::string algorithm;
  return parse_subject_key(spki, algorithm);
}

Result<SubjectKey> parse_certificate_key(ByteView content) {
  TRY(const auto certificate, EkCertificate::parse(content));
  return certificate.x509().key;
}

}  // namespace

Result<std::vector<SubjectKey>> parse_public_keys(ByteView content) {
  std::vector<SubjectKey> keys;
  if (!looks_like_pem(content)) {
    if (auto spki = parse_spki(content)) return std::vector{std::move(*spki)};
    TRY(auto key, parse_certificate_key(content));
    keys.push_back(std::move(key));
    return keys;
  }
  TRY(const auto blocks, pem_blocks(as_text(content)));
  for (const PemBlock& block : blocks) {
    if (block.label != "CERTIFICATE" && block.label != "PUBLIC KEY") continue;
    TRY(auto key, block.label == "CERTIFICATE" ? parse_certificate_key(block.content) : parse_spki(block.content));
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return invalid_input("endorsement.pem", "expected certificates or public keys, there is none");
  return keys;
}

}  // namespace warifu::endorsement
