#pragma once

#include "frames/codec.h"
#include "signer_protocol/limits.h"
#include "signer_protocol/messages.h"

// The fields of each message in the order of their bytes (frames/codec.h).
namespace warifu::signer_protocol {

using frames::Is;

void fields(auto&, Is<Organisation> auto&) {
}
void fields(auto& visitor, Is<Organisation::Answer> auto& answer) {
  visitor.text("name", answer.name, kNameMax);
  visitor.bytes("root", answer.root, 1, kCertificateMax);
  visitor.texts("roles", answer.roles, kRolesMax, kNameMax);
  visitor.list("certificates", answer.certificates, kRolesMax, kCertificateMax);
}

void fields(auto& visitor, Is<CertifyNode> auto& request) {
  visitor.texts("names", request.names, kHostNamesMax, kHostNameMax);
  visitor.bytes("public_key", request.public_key, 1, kPublicKeyMax);
  visitor.integer("lifetime_seconds", request.lifetime_seconds);
}
void fields(auto& visitor, Is<CertifyNode::Answer> auto& answer) {
  visitor.bytes("certificate", answer.certificate, 1, kNodeCertificateMax);
}

void fields(auto& visitor, Is<OpenEscrow> auto& request) {
  visitor.bytes("package", request.package, 1, kEscrowPackageMax);
}
void fields(auto& visitor, Is<OpenEscrow::Answer> auto& answer) {
  visitor.bytes("content", answer.content, 0, kEscrowPackageMax);
}

}  // namespace warifu::signer_protocol
