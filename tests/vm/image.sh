# Sourced by run: makes what the machine starts from, without root, and keeps it for the next run. Nothing of it is installed here.
#   $image/vmlinuz, initramfs     Debian's kernel, and an initramfs with the modules for the disk and the network, and our script
#   $image/good.disk, other.disk  EFI system partitions, each with a signed unified kernel image; they differ in the command line
#   $image/root.ext4              the root file system: our two programs, the libraries that they link, busybox

readonly vm=$PWD/tests/vm
readonly cache=${WARIFU_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/warifu/vm}
readonly command_line='console=ttyS0 quiet panic=-1 ima_policy=tcb'
readonly other_command_line="$command_line mitigations=off"
readonly stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub busybox=/bin/busybox
readonly premount=$PWD/packaging/initramfs-tools/scripts/init-premount/warifu
# Debian's test key, which the variables of OVMF_VARS_4M.snakeoil.fd know: it protects nothing.
readonly snakeoil=/usr/share/ovmf/PkKek-1-snakeoil
kernel='' image=''

# kernel_package: $kernel is a folder with Debian's newest kernel for virtual machines; without the network, the newest that is kept.
kernel_package() {
  local name file
  name=$(newest_kernel)
  [ -n "$name" ] || { as_root apt-get update -qq && name=$(newest_kernel); } || true
  [ -n "$name" ] || name=$(find "$cache" -maxdepth 1 -name 'kernel-*' ! -name '*.new' -printf '%f\n' | sort -V | tail -n 1 | sed 's/^kernel-//')
  [ -n "$name" ] || fail "apt-cache knows no linux-image-cloud-amd64, and $cache keeps none"
  kernel=$cache/kernel-$name
  [ ! -e "$kernel/vmlinuz" ] || return 0
  step "Debian's kernel $name, for the guest"
  rm -rf "$kernel.new"
  mkdir -p "$kernel.new"
  (cd "$kernel.new" && { apt-get download -qq "${name/_/=}" || { as_root apt-get update -qq && apt-get download -qq "${name/_/=}"; }; }) >"$cache/download.log" 2>&1 ||
    { cat "$cache/download.log" >&2; fail "apt-get could not download the kernel $name"; }
  for file in "$kernel.new"/*.deb; do dpkg-deb -x "$file" "$kernel.new/root"; done
  mv "$kernel.new"/root/boot/vmlinuz-* "$kernel.new/vmlinuz"
  # Debian's signature: nobody's here, so the kernel by itself is not signed.
  sbattach --remove "$kernel.new/vmlinuz" >/dev/null 2>&1
  rm -rf "$kernel.new"/*.deb "$kernel.new"/root/{boot,usr}
  mv "$kernel.new" "$kernel"
}

newest_kernel() {
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ {print $2; exit}')
  [ -z "$package" ] || apt-cache show --no-all-versions "$package" | awk -v name="$package" '/^Version:/ {print name "_" $2; exit}'
}

# vm_image BIN: makes $image unless the same was made before, of our programs in the folder BIN.
vm_image() {
  local bin=$1 ingredients
  mkdir -p "$cache"
  kernel_package
  mapfile -t ingredients < <(libraries "$bin/warifu-agent" "$bin/warifu-tcb")
  ingredients+=("$bin/warifu-agent" "$bin/warifu-tcb" "$vm/image.sh" "$vm"/guest/* "$premount" "$stub" "$busybox" "$snakeoil.pem")
  image=$cache/image-$({ echo "$kernel"; sha256sum "${ingredients[@]}"; } | sha256sum | head -c 16)
  if [ -e "$image" ]; then
    step "The guest's image is there already: $image"
    touch "$image"
    return
  fi
  step "Making the guest's image: $image"
  work=$image.new-$$
  rm -rf "$work"
  mkdir -p "$work"
  initramfs "$bin"
  signed_disk good "$command_line"
  signed_disk other "$other_command_line"
  root_file_system "$bin"
  cp "$kernel/vmlinuz" "$work/"
  printf '%s' "$command_line" >"$work/command-line"
  # Another run may be using another one, of today.
  find "$cache" -maxdepth 1 -name 'image-*' -mmin +1440 -exec rm -rf {} +
  mv -T "$work" "$image" 2>/dev/null || rm -rf "$work" # another run was faster
}

# Of programs, and of what opens the TPM's device for them, which no program links.
libraries() {
  local device
  device=$(/sbin/ldconfig -p | awk '/libtss2-tcti-device\.so\.0 / {print $NF; exit}')
  echo "$device"
  ldd "$@" "$device" | grep -oE '/[^ ]+' | grep -vE ':$' | sort -u
}

initramfs() {
  local bin=$1 root=$work/initramfs.root version module file
  version=$(basename "$kernel"/root/lib/modules/*)
  mkdir -p "$root"/{bin,proc,sys,run,dev,root,modules}
  cp "$busybox" "$root/bin/busybox"
  ln -s busybox "$root/bin/sh"
  install -m 755 "$vm/guest/initramfs-init" "$root/init"
  # As packaging/initramfs-tools/hooks/warifu does.
  install -D -m 755 "$bin/warifu-tcb" "$root/usr/bin/warifu-tcb"
  install -D -m 755 "$premount" "$root/scripts/init-premount/warifu"
  while read -r file; do install -D -m 755 "$file" "$root$file"; done < <(libraries "$bin/warifu-tcb")
  [ -e "$kernel/root/lib/modules/$version/modules.dep.bin" ] || /sbin/depmod -b "$kernel/root" "$version"
  for module in virtio_pci virtio_blk virtio_net; do
    /sbin/modprobe -d "$kernel/root" -S "$version" --show-depends "$module"
  done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' | while read -r file; do
    cp "$file" "$root/modules/"
    basename "$file" >>"$root/modules/order"
  done
  (cd "$root" && find . | LC_ALL=C sort | cpio --quiet -R 0:0 -H newc -o | gzip -1n) >"$work/initramfs"
  rm -rf "$root"
}

# signed_disk NAME COMMAND_LINE: $work/NAME.disk
signed_disk() {
  local file=$work/$1.disk efi=$work/$1.efi
  unified_kernel_image "$efi.unsigned" "$2"
  openssl rsa -in "$snakeoil.key" -passin pass:snakeoil -out "$work/key" 2>/dev/null
  sbsign --key "$work/key" --cert "$snakeoil.pem" --output "$efi" "$efi.unsigned" 2>"$work/sbsign.log" || { cat "$work/sbsign.log" >&2; fail "sbsign failed"; }
  truncate -s 48M "$file"
  /sbin/mkfs.vfat -F 32 -n WARIFU "$file" >/dev/null
  mmd -i "$file" ::/EFI ::/EFI/BOOT
  mcopy -i "$file" "$efi" ::/EFI/BOOT/BOOTX64.EFI
  rm "$efi" "$efi.unsigned" "$work/key" "$work/sbsign.log"
}

# unified_kernel_image FILE COMMAND_LINE: systemd's stub with sections of ours behind its own, each at a page of its own.
unified_kernel_image() {
  local section size address end=0 arguments=()
  printf 'ID=warifu-vm\nVERSION_ID=1\n' >"$work/osrel"
  printf '%s' "$2" >"$work/cmdline"
  while read -r size address; do
    [ $((0x$size + 0x$address)) -le $end ] || end=$((0x$size + 0x$address))
  done < <(objdump -h "$stub" | awk '$1 ~ /^[0-9]+$/ {print $3, $4}')
  for section in "osrel $work/osrel" "cmdline $work/cmdline" "initrd $work/initramfs" "linux $kernel/vmlinuz"; do
    end=$(((end + 4095) / 4096 * 4096))
    arguments+=(--add-section ".${section%% *}=${section#* }" --change-section-vma ".${section%% *}=$end")
    end=$((end + $(stat -c %s "${section#* }")))
  done
  objcopy "${arguments[@]}" "$stub" "$1"
  rm "$work/osrel" "$work/cmdline"
}

root_file_system() {
  local bin=$1 root=$work/root.folder name file
  mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,root,etc/warifu,usr/bin,var/lib/warifu}
  cp "$busybox" "$root/bin/busybox"
  for name in $("$busybox" --list); do [ "$name" = busybox ] || ln -sf busybox "$root/bin/$name"; done
  install -m 755 "$vm/guest/init" "$root/sbin/init"
  for name in warifu-agent warifu-tcb; do install -m 755 "$bin/$name" "$root/usr/bin/$name"; done
  while read -r file; do install -D -m 755 "$file" "$root$file"; done < <(libraries "$bin/warifu-agent" "$bin/warifu-tcb")
  printf 'root:x:0:0:root:/root:/bin/sh\nwarifu-tcb:x:701:701::/:/bin/false\nwarifu-agent:x:702:702::/:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nwarifu-tcb:x:701:\nwarifu-agent:x:702:\n' >"$root/etc/group"
  # What is changed later, as an attacker would.
  printf '#!/bin/sh\necho 17 degrees\n' >"$root/usr/bin/sensor"
  chmod 755 "$root/usr/bin/sensor"
  # Where QEMU's network has the machine that it runs on. The server's certificate has this name.
  echo '10.0.2.2 warifu.test' >"$root/etc/hosts"
  chmod -R go-w "$root"
  truncate -s 96M "$work/root.ext4"
  owned_by_root /sbin/mke2fs -q -t ext4 -L warifu-root -d "$root" "$work/root.ext4"
  rm -rf "$root"
}

# In the file system that is made, our files are root's.
owned_by_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else unshare --map-root-user "$@"; fi
}
