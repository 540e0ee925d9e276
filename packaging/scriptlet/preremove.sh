#!/bin/sh
# Runs before the files go.
#   RPM: $1 is 0 at a removal, 1 at an update or a downgrade
#   DEB: $1 is remove, or upgrade
unit=trento-web.service

case "$1" in
  0 | remove)
    systemctl --no-reload disable $unit || :
    [ -d /run/systemd/system ] && systemctl stop $unit || :
    ;;
esac
exit 0
