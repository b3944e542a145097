# Sourced by make-logs: one function for each log. What it puts into the machine it also writes down by `claim`, from the files themselves:
# that is what the tool must read out of the log.

readonly line='console=ttyS0 quiet panic=-1 ima_policy=tcb warifu.case=' # of a PC's kernels

claim() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$case_folder/claims"; }
sha256_of() { sha256sum "$1" | cut -d' ' -f1; }
# The digest of a PE file as firmware measures it (Authenticode), computed by efitools.
image_digest_of() {
  hash-to-efi-sig-list "$1" "$work/image.esl" >/dev/null
  tail -c 32 "$work/image.esl" >"$work/image.digest" && xxd_of "$work/image.digest"
}
claim_image() { claim image "$2" "$(image_digest_of "$1")"; }
# What the kernel's EFI stub measures of its own parameters: UTF-16, with what ends it.
claim_load_options() { claim content LOADED_IMAGE::LoadOptions "$(printf '%s\0' "$1" | iconv -t UTF-16LE | sha256sum | cut -d' ' -f1)"; }
claim_keys() {
  local name
  claim secure_boot true
  for name in PK KEK db; do claim certificate "$name" "$(sha256_of "$work/keys/$name.der")"; done
}
claim_sections() {
  local section
  claim kernel uki
  for section in .linux .osrel .cmdline .initrd; do claim section $section "$(sha256_of "$1.sections/$section")"; done
  claim content 'Linux initrd' "$(sha256_of "$1.sections/.initrd")"
}

# boot_pc VARIABLES QEMU-ARGUMENTS...: a PC whose firmware has the variables of that file. boot_disk: it starts from $work/disk.
boot_pc() {
  cp "$1" "$work/variables.fd"
  pc "$work/variables.fd"
  shift
  measure "$case_folder" "${machine_arguments[@]}" "$@"
}
boot_disk() {
  claim disk "$disk_id"
  boot_pc "$1" -drive "if=none,id=disk,format=raw,file=$work/disk" -device virtio-blk-pci,drive=disk,bootindex=0
}
no_keys=/usr/share/OVMF/OVMF_VARS_4M.fd

# `linux` of Debian's GRUB leaves EFI's stub out when Secure Boot is off; the kernel then has no event log. `linuxefi` goes through it.
grub() {
  local arguments="$line$1" image=/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi
  printf 'linuxefi /vmlinuz %s\ninitrdefi /initrd\nboot\n' "$arguments" >"$work/grub.cfg"
  disk "$work/disk" "$image" /EFI/BOOT/BOOTX64.EFI "$work/grub.cfg" /EFI/debian/grub.cfg \
    "$work/amd64/vmlinuz" /vmlinuz "$work/amd64/guest.cpio.gz" /initrd
  claim secure_boot false
  claim kernel grub
  claim command_line "/vmlinuz $arguments"
  claim_image "$image" '\EFI\BOOT\BOOTX64.EFI'
  claim content /vmlinuz "$(sha256_of "$work/amd64/vmlinuz")"
  claim content /initrd "$(sha256_of "$work/amd64/guest.cpio.gz")"
  claim content '(hd0,gpt1)/EFI/debian/grub.cfg' "$(sha256_of "$work/grub.cfg")"
  boot_disk "$no_keys"
}
case_grub() { grub one; }
case_grub_other_command_line() { grub two; }

# The file is measured by firmware, its options by the kernel itself. Nobody measures an initrd that `initrd=` names (Linux 6.1).
case_efi_stub() {
  local options="initrd=\\initrd ${line}efi-stub"
  variables_with_entry stub "$options" '\linux.efi'
  disk "$work/disk" "$work/amd64/vmlinuz" /linux.efi "$work/amd64/guest.cpio.gz" /initrd
  claim secure_boot false
  claim kernel efi-stub
  claim_image "$work/amd64/vmlinuz" '\linux.efi'
  claim_load_options "$options"
  claim finding kernel.command-line-unknown
  boot_disk "$work/stub.fd"
}

signed_uki() {
  uki "$work/$1.efi" "$2"
  sbsign --key "$work/keys/db.key" --cert "$work/keys/db.pem" --output "$work/$1.signed.efi" "$work/$1.efi" 2>/dev/null
  disk "$work/disk" "$work/$1.signed.efi" /EFI/BOOT/BOOTX64.EFI
  claim_image "$work/$1.signed.efi" "${3:-\\EFI\\BOOT\\BOOTX64.EFI}"
  claim_sections "$work/$1.efi"
}
case_uki_secure_boot() {
  claim_keys
  claim authority db "$(sha256_of "$work/keys/db.der")"
  signed_uki uki "${line}uki"
  boot_disk "$work/keys/variables.fd"
}
case_uki_other_command_line() {
  claim_keys
  claim authority db "$(sha256_of "$work/keys/db.der")"
  signed_uki uki-other "${line}uki debug"
  boot_disk "$work/keys/variables.fd"
}
# The stub then lets firmware load the kernel, too.
case_uki_secure_boot_off() {
  claim secure_boot false
  signed_uki uki "${line}uki"
  claim_image "$work/amd64/vmlinuz" ''
  boot_disk "$no_keys"
}
# Without Secure Boot the stub takes what it is given instead of its own section, and measures it.
case_uki_options() {
  local options="${line}options"
  claim secure_boot false
  claim command_line "$options"
  claim_load_options "$options"
  signed_uki uki "${line}uki" '\uki.efi'
  claim_image "$work/amd64/vmlinuz" ''
  disk "$work/disk" "$work/uki.signed.efi" /uki.efi
  variables_with_entry options "$options" '\uki.efi'
  boot_disk "$work/options.fd"
}

# Secure Boot is on, the kernel is not signed, and QEMU starts it all the same: no event tells of it.
case_qemu_kernel() {
  claim_keys
  claim kernel none
  claim finding kernel.not-measured
  claim finding boot-loader.not-measured
  claim finding kernel.command-line-unknown
  boot_pc "$work/keys/variables.fd" -kernel "$work/amd64/vmlinuz" -initrd "$work/amd64/guest.cpio.gz" -append "${line}qemu-kernel"
}

# variables_with_entry NAME OPTIONS PATH: $work/NAME.fd, in which firmware's first boot entry is a file with these options.
variables_with_entry() {
  local name=$1 folder=$work/$1.entry
  [ -e "$work/$name.fd" ] && return
  step "A boot entry ($name)"
  mkdir -p "$folder"
  python3 "$recipe/boot_entry.py" "$3" "$2" >"$folder/1-Boot0077-$global_variable"
  printf '\x07\0\0\0\x77\0' >"$folder/2-BootOrder-$global_variable"
  initramfs amd64 "$name" "$folder"
  cp "$no_keys" "$work/$name.fd.new"
  pc "$work/$name.fd.new"
  measure "$work/$name.machine" "${machine_arguments[@]}" -kernel "$work/amd64/vmlinuz" -initrd "$work/amd64/$name.cpio.gz" \
    -append 'console=ttyS0 quiet panic=-1'
  [ "$(grep -ac '^enrolled ' "$work/$name.machine/console.text")" = 2 ] || fail "firmware did not take the boot entry"
  mv "$work/$name.fd.new" "$work/$name.fd"
}
