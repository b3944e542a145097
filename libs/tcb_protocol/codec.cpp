#include "tcb_protocol/codec.h"

#include "frames/codec.h"
#include "tcb_protocol/fields.h"
#include "tcb_protocol/service.h"

namespace warifu::tcb_protocol {

template <class R>
Result<SecretBytes> encode_request(const R& request) {
  return frames::encode_request<Request>(kProtocol, request);
}

Result<Request> decode_request(ByteView frame) {
  return frames::decode_request<Request>(kProtocol, frame);
}

template <class R>
SecretBytes encode_answer(const typename R::Answer& answer) {
  return frames::encode_answer<Request, R>(kProtocol, answer);
}

SecretBytes encode_error(ByteView request_frame, const Error& error) {
  return frames::encode_error(kProtocol, request_frame, error);
}

template <class R>
Result<typename R::Answer> decode_answer(ByteView frame) {
  return frames::decode_answer<Request, R>(kProtocol, frame);
}

#define WARIFU_TCB_MESSAGE(R)                                       \
  template Result<SecretBytes> encode_request<R>(const R& request); \
  template SecretBytes encode_answer<R>(const R::Answer& answer);   \
  template Result<R::Answer> decode_answer<R>(ByteView frame);
WARIFU_TCB_MESSAGE(BeginServerCheck)
WARIFU_TCB_MESSAGE(CheckServer)
WARIFU_TCB_MESSAGE(Identity)
WARIFU_TCB_MESSAGE(ActivateRegistration)
WARIFU_TCB_MESSAGE(RegistrationToken)
WARIFU_TCB_MESSAGE(AcceptAssignment)
WARIFU_TCB_MESSAGE(HubToken)
WARIFU_TCB_MESSAGE(Random)
WARIFU_TCB_MESSAGE(Seal)
WARIFU_TCB_MESSAGE(Unseal)
WARIFU_TCB_MESSAGE(TpmStatus)
WARIFU_TCB_MESSAGE(Own)
WARIFU_TCB_MESSAGE(ReadEscrow)
WARIFU_TCB_MESSAGE(EscrowDelivered)
WARIFU_TCB_MESSAGE(Clear)
WARIFU_TCB_MESSAGE(ResetLockout)
WARIFU_TCB_MESSAGE(EscrowToken)
WARIFU_TCB_MESSAGE(AttestationKey)
WARIFU_TCB_MESSAGE(ActivateAttestation)
WARIFU_TCB_MESSAGE(Quote)
WARIFU_TCB_MESSAGE(LocalQuote)
WARIFU_TCB_MESSAGE(EkCertificate)
WARIFU_TCB_MESSAGE(ProveKey)
WARIFU_TCB_MESSAGE(AcceptCertificate)
WARIFU_TCB_MESSAGE(ShowCertificate)
WARIFU_TCB_MESSAGE(SignHandshake)
WARIFU_TCB_MESSAGE(ExportKey)
WARIFU_TCB_MESSAGE(TrustBundle)
WARIFU_TCB_MESSAGE(TrustedRoot)
WARIFU_TCB_MESSAGE(FollowTrustBundle)
WARIFU_TCB_MESSAGE(ShowApplicationKey)
WARIFU_TCB_MESSAGE(ImportApplicationKey)
WARIFU_TCB_MESSAGE(AcknowledgeApplicationKey)
WARIFU_TCB_MESSAGE(ActivateApplicationKey)
WARIFU_TCB_MESSAGE(ForgetApplicationKey)
WARIFU_TCB_MESSAGE(ApplicationKeyHmac)
WARIFU_TCB_MESSAGE(CapApplicationKeys)
#undef WARIFU_TCB_MESSAGE

}  // namespace warifu::tcb_protocol
