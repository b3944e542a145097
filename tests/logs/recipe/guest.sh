# Sourced by make-logs: a kernel of Debian and an initramfs of one program. Nothing of them is installed on this machine.

# kernel_package ARCH: unpacks Debian's kernel of an architecture, and busybox, into $work/ARCH/.
kernel_package() {
  local arch=$1 folder=$work/$1
  [ -e "$folder/vmlinuz" ] || unpack_kernel "$arch" "$folder"
  note_version "kernel of $arch" "$(basename "$folder"/linux-image-*.deb .deb)"
}

unpack_kernel() {
  local arch=$1 folder=$2
  step "The kernel of Debian 12 for $arch"
  apt_of "$arch" "$(debian_sources bookworm)"
  local package
  package=$("${apt[@]/#apt-get/apt-cache}" depends "linux-image-cloud-$arch" | awk '/Depends: linux-image/ {print $2; exit}')
  (cd "$folder" && "${apt[@]}" -qq download "$package:$arch" "busybox-static:$arch")
  for file in "$folder"/*.deb; do dpkg-deb -x "$file" "$folder/root"; done
  cp "$folder"/root/boot/vmlinuz-* "$folder/vmlinuz"
}

# initramfs ARCH NAME [FOLDER]: $work/ARCH/NAME.cpio.gz. What is in FOLDER becomes /enroll. Whoever makes it again gets the same bytes.
initramfs() {
  local arch=$1 name=$2 enroll=${3:-} root=$work/$1/$2.root module found
  rm -rf "$root"
  mkdir -p "$root"/{bin,proc,sys,dev,modules}
  cp "$work/$arch/root/bin/busybox" "$root/bin/"
  install -m 755 "$recipe/guest-init" "$root/init"
  ln -s busybox "$root/bin/sh"
  [ -z "$enroll" ] || cp -r "$enroll" "$root/enroll"
  : >"$root/modules/order"
  for module in tpm_tis_core tpm_tis efivarfs; do
    found=$(find "$work/$arch/root/lib/modules" -name "$module.ko")
    [ -n "$found" ] || continue
    cp "$found" "$root/modules/"
    echo "$module" >>"$root/modules/order"
  done
  find "$root" -exec touch -h -d @0 {} +
  (cd "$root" && find . | LC_ALL=C sort | cpio --quiet --reproducible -R 0:0 -H newc -o | gzip -9n) >"$work/$arch/$name.cpio.gz"
}

# apt_of ARCH SOURCES: $apt is then an apt-get of its own, which knows these sources and nothing of this machine.
apt_of() {
  local arch=$1 folder=$work/$1/apt
  mkdir -p "$folder"/{lists,archives}/partial
  printf '%s\n' "$2" >"$folder/sources.list"
  : >"$folder/status"
  apt=(apt-get -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$folder" -o "Dir::State::status=$folder/status"
    -o "Dir::Cache=$folder" -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/nonexistent -o APT::Sandbox::User=root)
  "${apt[@]}" -qq update
}

# debian_sources SUITE [deb-src]
debian_sources() {
  echo "${2:-deb} [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $1 main"
  [ "${2:-deb}" = deb-src ] ||
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security $1-security main"
}
