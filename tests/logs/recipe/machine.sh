# Sourced by make-logs: a machine of QEMU without a network, with a swtpm that outlives it, so that the TPM can be asked after the boot.

readonly boot_seconds_max=${BOOT_SECONDS_MAX:-180}

start_tpm() {
  local folder=$1
  rm -rf "$folder/state" "$folder/console"
  mkdir -p "$folder/state"
  swtpm_setup --tpm2 --tpmstate "$folder/state" --pcr-banks sha1,sha256,sha384 --overwrite --logfile "$folder/setup.log" >/dev/null
  swtpm socket --tpm2 --tpmstate "dir=$folder/state" --ctrl "type=unixio,path=$folder/tpm.ctrl" --daemon --pid "file=$folder/swtpm.pid"
}

# boot FOLDER QEMU...: until the guest has told everything. It is then killed: an orderly end would end the swtpm, too.
boot() {
  local folder=$1 deadline=$((SECONDS + boot_seconds_max)) machine
  shift
  "$@" -nodefaults -display none -nic none -monitor none -no-reboot -m 512 -smp 1 -serial "${serial:-file:$folder/console}" \
    -chardev "socket,id=tpm,path=$folder/tpm.ctrl" -tpmdev emulator,id=tpm0,chardev=tpm 2>"$folder/qemu.log" &
  machine=$!
  until grep -qa 'EVIDENCE IS COMPLETE' "$folder/console" 2>/dev/null; do
    [ $SECONDS -lt $deadline ] && kill -0 $machine 2>/dev/null || { kill -9 $machine 2>/dev/null; tail -n 20 "$folder/qemu.log" "$folder/console" >&2; return 1; }
    sleep 0.2
  done
  kill -9 $machine
  wait $machine 2>/dev/null || true
}

# What the guest told: files of the names that it gave them, and `pcrs`.
read_console() {
  local folder=$1 name
  tr -d '\r' <"$folder/console" >"$folder/console.text"
  for name in event-log ima-list command-line; do
    sed -n "/^BEGIN $name\$/,/^END $name\$/p" "$folder/console.text" | sed '1d;$d' | base64 -d >"$folder/$name"
  done
  grep -a '^PCR ' "$folder/console.text" | cut -d' ' -f2- >"$folder/pcrs"
}

# A quote of all registers by a restricted key, from the same TPM, which was not reset.
quote() {
  local folder=$1
  head -c 20 /dev/urandom >"$folder/nonce"
  (cd "$folder" && python3 "$recipe/tpm_shell.py" tpm.ctrl sh -e "$recipe/quote-commands" "$(xxd_of nonce)") 2>"$folder/quote.log" ||
    { cat "$folder/quote.log" >&2; return 1; }
}

xxd_of() { od -An -v -tx1 "$1" | tr -d ' \n'; }

stop_tpm() { [ ! -e "$1/swtpm.pid" ] || kill "$(cat "$1/swtpm.pid")"; }

# measure FOLDER QEMU...: boots, and leaves all evidence of the boot in FOLDER.
measure() {
  local folder=$1
  start_tpm "$folder"
  if boot "$@" && read_console "$folder" && quote "$folder"; then stop_tpm "$folder"; return; fi
  stop_tpm "$folder"
  return 1
}

# pc VARS: the arguments of a PC whose firmware is OVMF with Secure Boot; VARS is a file of variables, which is written to.
pc() {
  machine_arguments=(qemu-system-x86_64 -machine "q35,smm=on" -accel tcg -cpu max -device "tpm-crb,tpmdev=tpm0"
    -global "driver=cfi.pflash01,property=secure,value=on"
    -drive "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
    -drive "if=pflash,format=raw,unit=1,file=$1")
}
