# Sourced by make-logs: keys of our own for Secure Boot, and the same OVMF with and without them.

readonly global_variable=8be4df61-93ca-11d2-aa0d-00e098032b8c
readonly image_security=d719b2cb-3d3a-4596-a3bc-dad00e67656f

# PK, KEK and db, one certificate each, and their signed variables. The private keys stay in $work: no one needs them again.
secure_boot_keys() {
  local keys=$work/keys name signer owner=5a4f8a0e-8f0a-4b0c-9d56-77617269666a
  [ -d "$keys" ] && return
  step "Keys for Secure Boot"
  mkdir -p "$keys/enroll"
  for name in PK KEK db; do
    openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 36500 -subj "/CN=Warifu test $name" \
      -keyout "$keys/$name.key" -out "$keys/$name.pem" 2>/dev/null
    openssl x509 -in "$keys/$name.pem" -outform DER -out "$keys/$name.der"
    cert-to-efi-sig-list -g "$owner" "$keys/$name.pem" "$keys/$name.esl"
  done
  # Each is signed by what is above it, and written in this order: after PK nothing unsigned is taken.
  local number=1 guid
  for name in db KEK PK; do
    case $name in db) signer=KEK guid=$image_security ;; *) signer=PK guid=$global_variable ;; esac
    sign-efi-sig-list -k "$keys/$signer.key" -c "$keys/$signer.pem" "$name" "$keys/$name.esl" "$keys/$name.auth" >/dev/null
    # efivarfs wants the attributes first: non-volatile, boot, runtime, authenticated by time.
    printf '\x27\0\0\0' | cat - "$keys/$name.auth" >"$keys/enroll/$number-$name-$guid"
    number=$((number + 1))
  done
}
# The variables of a machine that the keys were enrolled on: a boot of it wrote them.
variables_with_keys() {
  local variables=$work/keys/variables.fd
  [ -e "$variables" ] && return
  step "Enrolling the keys"
  initramfs amd64 enroll "$work/keys/enroll"
  cp /usr/share/OVMF/OVMF_VARS_4M.fd "$variables.new"
  pc "$variables.new"
  measure "$work/keys/machine" "${machine_arguments[@]}" -kernel "$work/amd64/vmlinuz" -initrd "$work/amd64/enroll.cpio.gz" \
    -append 'console=ttyS0 quiet panic=-1'
  [ "$(grep -ac '^enrolled ' "$work/keys/machine/console.text")" = 3 ] || fail "firmware did not take the keys"
  mv "$variables.new" "$variables"
}
