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

void fields(auto& visitor, Is<CertifyDevice> auto& request) {
  visitor.integer("identity", request.identity);
  visitor.integer("protection", request.protection);
  visitor.text("device", request.device, kDeviceMax);
  visitor.bytes("public_key", request.public_key, 1, kPublicKeyMax);
  visitor.bytes("serial", request.serial, 1, kSerialMax);
  visitor.integer("not_before", request.not_before);
  visitor.integer("not_after", request.not_after);
  visitor.bytes("hardware_serial", request.hardware_serial, 0, kHardwareSerialMax);
  visitor.text("crl_url", request.crl_url, kUrlMax);
  visitor.text("ocsp_url", request.ocsp_url, kUrlMax);
  visitor.text("issuer_url", request.issuer_url, kUrlMax);
}
void fields(auto& visitor, Is<CertifyDevice::Answer> auto& answer) {
  visitor.bytes("certificate", answer.certificate, 1, kCertificateMax);
}

void fields(auto& visitor, Is<CertifyResponder> auto& request) {
  visitor.integer("purpose", request.purpose);
  visitor.bytes("public_key", request.public_key, 1, kPublicKeyMax);
  visitor.integer("lifetime_seconds", request.lifetime_seconds);
}
void fields(auto& visitor, Is<CertifyResponder::Answer> auto& answer) {
  visitor.bytes("certificate", answer.certificate, 1, kCertificateMax);
}

void fields(auto& visitor, Is<BeginCrl> auto& request) {
  visitor.integer("number", request.number);
  visitor.integer("this_update", request.this_update);
  visitor.integer("next_update", request.next_update);
  visitor.integer("entries", request.entries);
  visitor.integer("bytes", request.bytes);
}
void fields(auto&, Is<BeginCrl::Answer> auto&) {
}
void fields(auto& visitor, Is<AddToCrl> auto& request) {
  visitor.integer("number", request.number);
  visitor.list("entries", request.entries, kCrlEntriesMax, kCrlEntryMax);
}
void fields(auto&, Is<AddToCrl::Answer> auto&) {
}
void fields(auto& visitor, Is<FinishCrl> auto& request) {
  visitor.integer("number", request.number);
}
void fields(auto& visitor, Is<FinishCrl::Answer> auto& answer) {
  visitor.bytes("signature", answer.signature, 1, kSignatureMax);
}

}  // namespace warifu::signer_protocol
