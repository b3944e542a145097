# Sourced by the other scripts: says what is being done, and stops at the first failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# as_root COMMAND...: through sudo if we are not root.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# What takes long is looked at in parts, another one with each commit. quarter: which it is, 0 to 3. share: an eighth of the lines of
# standard input.
quarter() { echo $(($(git rev-list --count HEAD) % 4)); }
share() { awk -v turn="$(($(git rev-list --count HEAD) % 8))" 'NR % 8 == turn'; }
