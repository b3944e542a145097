#include "signer_protocol/codec.h"

#include "frames/codec.h"
#include "signer_protocol/fields.h"

namespace warifu::signer_protocol {

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

template <class R>
Result<typename R::Answer> decode_answer(ByteView frame) {
  return frames::decode_answer<Request, R>(kProtocol, frame);
}

#define WARIFU_SIGNER_MESSAGE(R)                                    \
  template Result<SecretBytes> encode_request<R>(const R& request); \
  template SecretBytes encode_answer<R>(const R::Answer& answer);   \
  template Result<R::Answer> decode_answer<R>(ByteView frame);
WARIFU_SIGNER_MESSAGE(Organisation)
WARIFU_SIGNER_MESSAGE(CertifyNode)
WARIFU_SIGNER_MESSAGE(OpenEscrow)
WARIFU_SIGNER_MESSAGE(CertifyDevice)
WARIFU_SIGNER_MESSAGE(CertifyResponder)
WARIFU_SIGNER_MESSAGE(BeginCrl)
WARIFU_SIGNER_MESSAGE(AddToCrl)
WARIFU_SIGNER_MESSAGE(FinishCrl)
#undef WARIFU_SIGNER_MESSAGE

}  // namespace warifu::signer_protocol
