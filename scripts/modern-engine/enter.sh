#!/usr/bin/env bash
# Run in a mount namespace of its own (unshare --mount --propagation private): makes a bootstrapped Debian its root,
# with folders of the machine at their own paths, and becomes a command. Nothing of it is seen outside.
# Usage: enter.sh ROOTFS [FOLDER...] -- COMMAND [ARGUMENT...]
set -Eeuo pipefail

# Where the new root is put together: a folder that is everywhere, and below no folder that is shared. Below one, the
# recursive binds would bring the half-made root into itself.
NEW=/boot

# Shows a folder of the machine, with what is mounted below it, at the same path in the new root.
share_folder() {
  mkdir -p "$NEW$1"
  mount --rbind "$1" "$NEW$1"
}

# Mounts the bootstrapped Debian $1, the kernel's file systems, and a /run that ends with the namespace.
prepare_root() {
  local folder
  mount --bind "$1" "$NEW"
  for folder in /proc /sys /dev; do share_folder "$folder"; done
  mount -t tmpfs -o mode=0755 modern-engine "$NEW/run"
  # Copied, not bound: a resolver's file is often replaced by another, and then a bind shows the old one.
  [[ ! -e /etc/resolv.conf ]] || cp --dereference --remove-destination /etc/resolv.conf "$NEW/etc/resolv.conf"
}

# Makes it the root and lets go of the old one, whose mounts (containers of the other engine) must not be held here.
switch_root() {
  cd "$NEW"
  pivot_root . "${NEW#/}"
  cd /
  umount --lazy "$NEW"
}

main() {
  local root=$1
  shift
  # Good for both roots; the machine's own PATH may lack the folders of root's programs.
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  prepare_root "$root"
  while [[ $1 != -- ]]; do
    share_folder "$1"
    shift
  done
  shift
  switch_root
  exec "$@"
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
