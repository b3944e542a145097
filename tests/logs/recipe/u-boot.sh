# Sourced by make-logs: U-Boot on QEMU's "virt" machine of aarch64. Debian 12's measures what it starts by EFI; `bootm` measures since
# 2023.10 only, and only if it was built for it, so that one is built here from Debian 13's source.

readonly u_boot_version=2025.01
# Where the kernel finds U-Boot's log, told in the device tree.
readonly sml_base=0x4a000000 sml_size=0x10000

# Without a search for other ways to boot: U-Boot's EFI would begin then, and extend PCR 0 and 7 without a word in the log of bootm.
readonly boot_command='virtio scan; load virtio 0:1 $scriptaddr boot.scr; source $scriptaddr'

# u_boot_measured: $work/u-boot.bin
u_boot_measured() {
  local file=$work/u-boot.bin source=$work/u-boot/u-boot-$u_boot_version
  note_version u-boot $u_boot_version
  [ -e "$file" ] && return
  step "U-Boot $u_boot_version with CONFIG_MEASURED_BOOT"
  mkdir -p "$work/u-boot"
  apt_of u-boot "$(debian_sources trixie deb-src)"
  (cd "$work/u-boot" && "${apt[@]}" -qq source --tar-only u-boot && tar xf u-boot_"$u_boot_version".orig.tar.*)
  (
    cd "$source"
    make -s qemu_arm64_defconfig
    scripts/config -e MEASURED_BOOT -e MEASURE_DEVICETREE -d TOOLS_MKEFICAPSULE --set-str BOOTCOMMAND "$boot_command"
    make -s olddefconfig
    make -s -j "$(nproc)" CROSS_COMPILE=aarch64-linux-gnu- SOURCE_DATE_EPOCH=0 u-boot.bin
  ) >"$work/u-boot.log" 2>&1 || { tail -n 20 "$work/u-boot.log" >&2; fail "U-Boot did not build"; }
  cp "$source/u-boot.bin" "$file"
}

arm_machine() { machine_arguments=(qemu-system-aarch64 -machine virt -accel tcg -cpu cortex-a57 -device "tpm-tis-device,tpmdev=tpm0"); }

# device_tree: $work/arm.dtb, the one that QEMU gives to firmware, with a place for the log of U-Boot.
device_tree() {
  local node
  arm_machine
  mkdir -p "$work/dump"
  start_tpm "$work/dump"
  "${machine_arguments[@]}" -machine dumpdtb="$work/arm.own.dtb" -bios "$work/u-boot.bin" -nodefaults -display none -m 512 -smp 1 \
    -drive if=none,id=disk,format=raw,file="$work/disk" -device virtio-blk-device,drive=disk \
    -chardev "socket,id=tpm,path=$work/dump/tpm.ctrl" -tpmdev emulator,id=tpm0,chardev=tpm >/dev/null 2>&1
  stop_tpm "$work/dump" 2>/dev/null || true
  dtc -q -I dtb -O dts "$work/arm.own.dtb" >"$work/arm.dts"
  node=$(fdtget -l "$work/arm.own.dtb" /platform-bus@c000000 | grep -m1 '^tpm_tis@') || fail "QEMU's device tree has no TPM"
  # The base is of 64 bits and the size of 32, as Linux and U-Boot read them.
  cat >>"$work/arm.dts" <<TREE
/ { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; tpm-log { reg = <0 $sml_base 0 $sml_size>; }; }; };
&{/platform-bus@c000000/$node} { linux,sml-base = <0 $sml_base>; linux,sml-size = <$sml_size>; };
TREE
  dtc -q -I dts -O dtb "$work/arm.dts" >"$work/arm.dtb"
}

# arm_disk COMMANDS FILE...: a disk whose boot script has these commands of U-Boot; the files are at its top.
arm_disk() {
  local file arguments=()
  printf '%s\n' "$1" >"$work/boot.commands"
  shift
  mkimage -A arm64 -T script -C none -d "$work/boot.commands" "$work/boot.scr" >/dev/null
  for file in "$@"; do arguments+=("$file" "/$(basename "$file")"); done
  disk "$work/disk" "$work/boot.scr" /boot.scr "${arguments[@]}"
}
boot_arm() {
  arm_machine
  measure "$case_folder" "${machine_arguments[@]}" "$@" -drive if=none,id=disk,format=raw,file="$work/disk" -device virtio-blk-device,drive=disk
}
arm_guest() {
  kernel_package arm64
  initramfs arm64 guest
}
readonly arm_line='console=ttyAMA0 quiet panic=-1 warifu.case='

case_u_boot_efi() {
  local options="${arm_line}u-boot-efi initrd=guest.cpio.gz"
  arm_guest
  arm_disk "tpm2 startup TPM2_SU_CLEAR
setenv bootargs $options
load virtio 0:1 \$kernel_addr_r vmlinuz
bootefi \$kernel_addr_r \$fdtcontroladdr" "$work/arm64/vmlinuz" "$work/arm64/guest.cpio.gz"
  claim kernel efi-stub
  claim_image "$work/arm64/vmlinuz" vmlinuz
  claim_load_options "$options"
  claim secure_boot false
  claim disk "$disk_id"
  claim finding kernel.command-line-unknown
  boot_arm -bios /usr/lib/u-boot/qemu_arm64/u-boot.bin
}

# u_boot BOOTARGS: kernel and initrd are in a FIT image, whose parts bootm measures.
u_boot() {
  local options=$arm_line$1
  arm_guest
  u_boot_measured
  mkimage -q -f auto -A arm64 -O linux -T kernel -C none -a 0x42000000 -e 0x42000000 -d "$work/arm64/vmlinuz" -i "$work/arm64/guest.cpio.gz" \
    "$work/fit.itb" >/dev/null
  arm_disk "setenv bootargs $options
load virtio 0:1 0x50000000 fit.itb
bootm 0x50000000#conf-1 0x50000000#conf-1 \$fdtcontroladdr" "$work/fit.itb"
  device_tree
  claim kernel u-boot
  claim_no_efi
  claim command_line "$options"
  claim content linux "$(sha256_of "$work/arm64/vmlinuz")"
  claim content initrd "$(sha256_of "$work/arm64/guest.cpio.gz")"
  boot_arm -bios "$work/u-boot.bin" -dtb "$work/arm.dtb"
}
case_u_boot() { u_boot one; }
case_u_boot_other_command_line() { u_boot two; }

# bootm without EFI knows no Secure Boot, no image in PCR 4 and no end of boot services.
claim_no_efi() {
  claim finding secure-boot.unknown
  claim finding boot-loader.not-measured
  claim finding exit-boot-services.missing
}

# The twin that must be refused: booti has not noted yet where the kernel is, and measures its name instead.
case_u_boot_booti() {
  local options=${arm_line}booti
  arm_guest
  u_boot_measured
  arm_disk "setenv bootargs $options
load virtio 0:1 0x50000000 guest.cpio.gz
setenv size \$filesize
load virtio 0:1 \$kernel_addr_r vmlinuz
booti \$kernel_addr_r 0x50000000:\$size \$fdtcontroladdr" "$work/arm64/vmlinuz" "$work/arm64/guest.cpio.gz"
  device_tree
  claim kernel none
  claim finding kernel.not-measured
  claim finding content.not-measured
  claim finding kernel.command-line-unknown
  claim_no_efi
  claim content initrd "$(sha256_of "$work/arm64/guest.cpio.gz")"
  boot_arm -bios "$work/u-boot.bin" -dtb "$work/arm.dtb"
}
