#pragma once

#include "frames/codec.h"
#include "tcb_protocol/limits.h"
#include "tcb_protocol/messages.h"

// The fields of each message in the order of their bytes (frames/codec.h).
namespace warifu::tcb_protocol {

using frames::Is;

void fields(auto&, Is<Done> auto&) {
}

void fields(auto&, Is<BeginServerCheck> auto&) {
}
void fields(auto& visitor, Is<BeginServerCheck::Answer> auto& answer) {
  visitor.bytes("nonce", answer.nonce, kNonceSize, kNonceSize);
}

void fields(auto& visitor, Is<CheckServer> auto& request) {
  visitor.list("handshake", request.handshake, kHandshakeMessagesMax, kHandshakeMessageMax);
}
void fields(auto& visitor, Is<CheckServer::Answer> auto& answer) {
  visitor.text("server_name", answer.server_name, kHostNameMax);
  visitor.integer("valid_seconds", answer.valid_seconds);
}

void fields(auto&, Is<Identity> auto&) {
}
void fields(auto& visitor, Is<Identity::Answer> auto& answer) {
  visitor.text("id_scope", answer.id_scope, kScopeMax);
  visitor.text("registration_id", answer.registration_id, kRegistrationIdMax);
  visitor.bytes("ek_public", answer.ek_public, 0, kPublicAreaMax);
  visitor.bytes("srk_public", answer.srk_public, 0, kPublicAreaMax);
  visitor.text("assigned_hub", answer.assigned_hub, kHostNameMax);
  visitor.text("device_id", answer.device_id, kDeviceIdMax);
}

void fields(auto& visitor, Is<ActivateRegistration> auto& request) {
  visitor.bytes("authentication_key", request.authentication_key, 0, kAuthenticationKeyMax);
}

void fields(auto& visitor, Is<RegistrationToken> auto& request) {
  visitor.integer("expires_at", request.expires_at);
}
void fields(auto& visitor, Is<RegistrationToken::Answer> auto& answer) {
  visitor.text("token", answer.token, kTokenMax);
}

void fields(auto& visitor, Is<AcceptAssignment> auto& request) {
  visitor.text("assigned_hub", request.assigned_hub, kHostNameMax);
  visitor.text("device_id", request.device_id, kDeviceIdMax);
  visitor.bytes("authentication_key", request.authentication_key, 0, kAuthenticationKeyMax);
}

void fields(auto& visitor, Is<HubToken> auto& request) {
  visitor.integer("lifetime_seconds", request.lifetime_seconds);
}
void fields(auto& visitor, Is<HubToken::Answer> auto& answer) {
  visitor.text("token", answer.token, kTokenMax);
  visitor.integer("expires_at", answer.expires_at);
}

void fields(auto& visitor, Is<Random> auto& request) {
  visitor.integer("size", request.size);
}
void fields(auto& visitor, Is<Random::Answer> auto& answer) {
  visitor.bytes("bytes", answer.bytes, 0, kRandomMax);
}

void fields(auto& visitor, Is<Seal> auto& request) {
  visitor.bytes("secret", request.secret, 0, kSealedSecretMax);
  visitor.ascending("pcrs", request.pcrs, kPcrCount);
}
void fields(auto& visitor, Is<Seal::Answer> auto& answer) {
  visitor.bytes("sealed", answer.sealed, 0, kSealedMax);
}

void fields(auto& visitor, Is<Unseal> auto& request) {
  visitor.bytes("sealed", request.sealed, 0, kSealedMax);
}
void fields(auto& visitor, Is<Unseal::Answer> auto& answer) {
  visitor.bytes("secret", answer.secret, 0, kSealedSecretMax);
}

void fields(auto&, Is<TpmStatus> auto&) {
}
void fields(auto& visitor, Is<TpmStatus::Answer> auto& answer) {
  visitor.text("manufacturer", answer.manufacturer, kModelMax);
  visitor.text("model", answer.model, kModelMax);
  visitor.integer("firmware_version", answer.firmware_version);
  visitor.integer("specification_revision", answer.specification_revision);
  visitor.flag("owner_auth_set", answer.owner_auth_set);
  visitor.flag("endorsement_auth_set", answer.endorsement_auth_set);
  visitor.flag("lockout_auth_set", answer.lockout_auth_set);
  visitor.flag("clear_disabled", answer.clear_disabled);
  visitor.flag("in_lockout", answer.in_lockout);
  visitor.flag("orderly", answer.orderly);
  visitor.flag("has_ek_certificate", answer.has_ek_certificate);
  visitor.integer("lockout_counter", answer.lockout_counter);
  visitor.integer("max_tries", answer.max_tries);
  visitor.integer("recovery_seconds", answer.recovery_seconds);
  visitor.integer("lockout_recovery_seconds", answer.lockout_recovery_seconds);
  visitor.bytes("ek_name", answer.ek_name, 0, kNameMax);
  visitor.text("registration_id", answer.registration_id, kRegistrationIdMax);
  visitor.bytes("ek_public", answer.ek_public, 0, kPublicAreaMax);
  visitor.flag("has_escrow", answer.has_escrow);
  visitor.flag("escrow_delivered", answer.escrow_delivered);
}

void fields(auto& visitor, Is<Own> auto& request) {
  visitor.list("escrow_chain", request.escrow_chain, kEscrowChainMax, kCertificateMax);
}

void fields(auto&, Is<ReadEscrow> auto&) {
}
void fields(auto& visitor, Is<ReadEscrow::Answer> auto& answer) {
  visitor.bytes("package", answer.package, 0, kEscrowPackageMax);
  visitor.flag("delivered", answer.delivered);
}

void fields(auto& visitor, Is<EscrowDelivered> auto& request) {
  visitor.bytes("package_sha256", request.package_sha256, kSha256Size, kSha256Size);
}

void fields(auto& visitor, Is<EscrowToken> auto& request) {
  visitor.integer("lifetime_seconds", request.lifetime_seconds);
}
void fields(auto& visitor, Is<EscrowToken::Answer> auto& answer) {
  visitor.text("token", answer.token, kTokenMax);
  visitor.integer("expires_at", answer.expires_at);
}

void fields(auto& visitor, Is<Clear> auto& request) {
  visitor.bytes("lockout_auth", request.lockout_auth, 0, kAuthMax);
}
void fields(auto& visitor, Is<ResetLockout> auto& request) {
  visitor.bytes("lockout_auth", request.lockout_auth, 0, kAuthMax);
}

void fields(auto&, Is<AttestationKey> auto&) {
}
void fields(auto& visitor, Is<AttestationKey::Answer> auto& answer) {
  visitor.bytes("ek_public", answer.ek_public, 0, kPublicAreaMax);
  visitor.bytes("ak_public", answer.ak_public, 0, kPublicAreaMax);
}

void fields(auto& visitor, Is<ActivateAttestation> auto& request) {
  visitor.bytes("id_object", request.id_object, 0, kIdObjectMax);
  visitor.bytes("encrypted_secret", request.encrypted_secret, 0, kEncryptedSecretMax);
}
void fields(auto& visitor, Is<ActivateAttestation::Answer> auto& answer) {
  visitor.bytes("secret", answer.secret, 0, kActivatedMax);
}

void register_lists(auto& visitor, Is<RegisterLists> auto& lists) {
  visitor.ascending("sha1", lists.sha1, kPcrCount);
  visitor.ascending("sha256", lists.sha256, kPcrCount);
  visitor.ascending("sha384", lists.sha384, kPcrCount);
  visitor.ascending("sha512", lists.sha512, kPcrCount);
}

void fields(auto& visitor, Is<Quote> auto& request) {
  visitor.bytes("nonce", request.nonce, 1, kServerNonceMax);
  register_lists(visitor, request.registers);
}
void fields(auto& visitor, Is<Quote::Answer> auto& answer) {
  visitor.bytes("attest", answer.attest, 0, kAttestMax);
  visitor.bytes("signature", answer.signature, 0, kSignatureMax);
  visitor.bytes("values", answer.values, 0, kRegisterValuesMax);
  visitor.bytes("null_public", answer.null_public, 0, kPublicAreaMax);
  visitor.bytes("null_attest", answer.null_attest, 0, kAttestMax);
  visitor.bytes("null_signature", answer.null_signature, 0, kSignatureMax);
}

void fields(auto& visitor, Is<LocalQuote> auto& request) {
  register_lists(visitor, request.registers);
}
void fields(auto& visitor, Is<LocalQuote::Answer> auto& answer) {
  visitor.bytes("nonce", answer.nonce, kNonceSize, kNonceSize);
  visitor.bytes("ak_public", answer.ak_public, 0, kPublicAreaMax);
  fields(visitor, answer.quote);
}

void fields(auto&, Is<EkCertificate> auto&) {
}
void fields(auto& visitor, Is<EkCertificate::Answer> auto& answer) {
  visitor.bytes("certificate", answer.certificate, 0, kCertificateMax);
  visitor.list("authorities", answer.authorities, kEkAuthoritiesMax, kCertificateMax);
}

void fields(auto& visitor, Is<ProveKey> auto& request) {
  visitor.flag("idevid", request.idevid);
  visitor.flag("anew", request.anew);
  visitor.bytes("nonce", request.nonce, 1, kServerNonceMax);
}
void fields(auto& visitor, Is<ProveKey::Answer> auto& answer) {
  visitor.bytes("public_area", answer.public_area, 0, kPublicAreaMax);
  visitor.bytes("attest", answer.attest, 0, kAttestMax);
  visitor.bytes("signature", answer.signature, 0, kSignatureMax);
  visitor.bytes("creation_data", answer.creation_data, 0, kCreationDataMax);
}

void fields(auto& visitor, Is<AcceptCertificate> auto& request) {
  visitor.flag("idevid", request.idevid);
  visitor.list("chain", request.chain, kDeviceChainMax, kCertificateMax);
  visitor.integer("renew_after", request.renew_after);
}

void fields(auto& visitor, Is<ShowCertificate> auto& request) {
  visitor.flag("idevid", request.idevid);
}
void fields(auto& visitor, Is<ShowCertificate::Answer> auto& answer) {
  visitor.list("chain", answer.chain, kDeviceChainMax, kCertificateMax);
  visitor.list("previous", answer.previous, kDeviceChainMax, kCertificateMax);
  visitor.integer("renew_after", answer.renew_after);
  visitor.integer("now", answer.now);
  visitor.flag("waiting", answer.waiting);
  visitor.flag("died", answer.died);
}

void fields(auto& visitor, Is<SignHandshake> auto& request) {
  visitor.list("handshake", request.handshake, kHandshakeMessagesMax, kHandshakeMessageMax);
}
void fields(auto& visitor, Is<SignHandshake::Answer> auto& answer) {
  visitor.bytes("signature", answer.signature, 0, kTlsSignatureMax);
}

void fields(auto&, Is<ExportKey> auto&) {
}
void fields(auto& visitor, Is<ExportKey::Answer> auto& answer) {
  visitor.bytes("public_area", answer.public_area, 0, kPublicAreaMax);
  visitor.bytes("private_area", answer.private_area, 0, kPrivateAreaMax);
  visitor.integer("parent", answer.parent);
  visitor.list("chain", answer.chain, kDeviceChainMax, kCertificateMax);
}

void fields(auto&, Is<TrustBundle> auto&) {
}
void fields(auto& visitor, Is<TrustBundle::Answer> auto& answer) {
  visitor.integer("version", answer.version);
  visitor.bytes("digest", answer.digest, 0, kSha256Size);
  visitor.integer("issued_at", answer.issued_at);
  visitor.integer("expires_at", answer.expires_at);
  visitor.flag("is_expired", answer.is_expired);
  visitor.integer("at_least", answer.at_least);
  visitor.integer("root_count", answer.root_count);
}

void fields(auto& visitor, Is<TrustedRoot> auto& request) {
  visitor.integer("index", request.index);
}
void fields(auto& visitor, Is<TrustedRoot::Answer> auto& answer) {
  visitor.bytes("certificate", answer.certificate, 1, kCertificateMax);
}

void fields(auto& visitor, Is<FollowTrustBundle> auto& request) {
  visitor.integer("size", request.size);
  visitor.integer("offset", request.offset);
  visitor.bytes("part", request.part, 1, kBundlePartMax);
}
void fields(auto& visitor, Is<FollowTrustBundle::Answer> auto& answer) {
  visitor.flag("is_complete", answer.is_complete);
  visitor.flag("is_new", answer.is_new);
  visitor.integer("version", answer.version);
}

void fields(auto& visitor, Is<ShowApplicationKey> auto& request) {
  visitor.integer("index", request.index);
}
void fields(auto& visitor, Is<ShowApplicationKey::Answer> auto& answer) {
  visitor.integer("count", answer.count);
  visitor.text("name", answer.name, kKeyNameMax);
  visitor.integer("version", answer.version);
  visitor.flag("active", answer.active);
  visitor.integer("capped_by_pcr", answer.capped_by_pcr);
  visitor.flag("died", answer.died);
}

void fields(auto& visitor, Is<ImportApplicationKey> auto& request) {
  visitor.text("name", request.name, kKeyNameMax);
  visitor.integer("version", request.version);
  visitor.integer("capped_by_pcr", request.capped_by_pcr);
  visitor.bytes("authentication_key", request.authentication_key, 0, kAuthenticationKeyMax);
}

void fields(auto& visitor, Is<AcknowledgeApplicationKey> auto& request) {
  visitor.text("name", request.name, kKeyNameMax);
  visitor.integer("version", request.version);
  visitor.bytes("nonce", request.nonce, 1, kServerNonceMax);
}
void fields(auto& visitor, Is<AcknowledgeApplicationKey::Answer> auto& answer) {
  visitor.bytes("mac", answer.mac, 0, kMacMax);
}

void fields(auto& visitor, Is<ActivateApplicationKey> auto& request) {
  visitor.text("name", request.name, kKeyNameMax);
  visitor.integer("version", request.version);
}

void fields(auto& visitor, Is<ForgetApplicationKey> auto& request) {
  visitor.text("name", request.name, kKeyNameMax);
  visitor.integer("version", request.version);
}

void fields(auto& visitor, Is<ApplicationKeyHmac> auto& request) {
  visitor.text("name", request.name, kKeyNameMax);
  visitor.bytes("data", request.data, 0, kHmacDataMax);
}
void fields(auto& visitor, Is<ApplicationKeyHmac::Answer> auto& answer) {
  visitor.bytes("mac", answer.mac, 0, kMacMax);
  visitor.integer("version", answer.version);
}

void fields(auto& visitor, Is<CapApplicationKeys> auto& request) {
  visitor.integer("pcr", request.pcr);
  visitor.flag("unless_pending", request.unless_pending);
}
void fields(auto& visitor, Is<CapApplicationKeys::Answer> auto& answer) {
  visitor.ascending("pcrs", answer.pcrs, kPcrCount);
  visitor.ascending("left", answer.left, kPcrCount);
}

}  // namespace warifu::tcb_protocol
