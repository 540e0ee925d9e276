#!/bin/sh
# Runs when the files are gone.
#   RPM: $1 is 0 at a removal, 1 at an update or a downgrade
#   DEB: $1 is remove, upgrade, or purge
[ -d /run/systemd/system ] && systemctl daemon-reload || :

case "$1" in
  0 | purge)
    [ -d /var/lib/trento ] && echo "The data of Trento stay in /var/lib/trento, and belong to the user trento."
    ;;
esac
exit 0
