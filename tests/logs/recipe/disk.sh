# Sourced by make-logs: what the machines start from.

readonly disk_id=77617269-6675-4000-8000-000000000001

# disk FILE SOURCE TARGET [SOURCE TARGET]...: a disk with a GPT and one EFI system partition with these files in it.
disk() {
  local file=$1 part=$1.part
  shift
  rm -f "$file" "$part"
  truncate -s 62M "$part"
  mkfs.vfat -F 32 -n WARIFU "$part" >/dev/null
  while [ $# -gt 0 ]; do
    folders_of "$2" | while read -r folder; do mmd -D s -i "$part" "::$folder" 2>/dev/null || true; done
    mcopy -i "$part" "$1" "::$2"
    shift 2
  done
  truncate -s 64M "$file"
  sfdisk -q "$file" <<PARTITIONS
label: gpt
label-id: $disk_id
start=1MiB, size=62MiB, type=U, uuid=77617269-6675-4000-8000-000000000002, name="esp"
PARTITIONS
  dd if="$part" of="$file" bs=1M seek=1 conv=notrunc status=none
  rm "$part"
}

# The folders above a path, the outermost first.
folders_of() {
  local rest=${1#/} path=
  while [ "$rest" != "${rest#*/}" ]; do
    path=$path/${rest%%/*}
    rest=${rest#*/}
    echo "$path"
  done
}

# uki FILE COMMAND_LINE: a unified kernel image by systemd's stub: its sections, one after another behind those of the stub.
uki() {
  local file=$1 stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub folder=$1.sections end size arguments=() section
  mkdir -p "$folder"
  printf 'ID=warifu-test\nVERSION_ID=1\n' >"$folder/.osrel"
  printf '%s' "$2" >"$folder/.cmdline"
  cp "$work/amd64/vmlinuz" "$folder/.linux"
  cp "$work/amd64/guest.cpio.gz" "$folder/.initrd"
  end=$(objdump -h "$stub" | awk '$1 ~ /^[0-9]+$/ {print $3, $4}' | while read -r size start; do echo $((0x$size + 0x$start)); done | sort -n | tail -n 1)
  for section in .osrel .cmdline .initrd .linux; do
    end=$(((end + 4095) / 4096 * 4096))
    arguments+=(--add-section "$section=$folder/$section" --change-section-vma "$section=$end")
    end=$((end + $(stat -c %s "$folder/$section")))
  done
  objcopy "${arguments[@]}" "$stub" "$file"
}
