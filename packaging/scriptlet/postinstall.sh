#!/bin/sh
# Runs when the files of the new version are in place.
#   RPM: $1 is 1 at an installation, 2 at an update or a downgrade
#   DEB: $1 is configure, and $2 the version before, or nothing
# Nothing here may make the installation fail.
unit=trento-web.service

systemd_runs() { [ -d /run/systemd/system ]; }

installed() {
  # The policy of the distribution decides about the start at boot.
  systemctl --no-reload preset $unit || :
  cat <<'END'
Trento is installed, but not started. Its settings are in /etc/trento/trento-web.
  start it now and at every boot:  systemctl enable --now trento-web
  then, the address and sign-in:   journalctl -u trento-web
END
}

updated() {
  # On SUSE, administrators can switch the restart off for all services.
  if grep -qs '^DISABLE_RESTART_ON_UPDATE="\?yes' /etc/sysconfig/services; then
    return
  fi
  systemd_runs && systemctl try-restart $unit || :
}

systemd-sysusers trento-web.conf || :
systemd_runs && systemctl daemon-reload || :
if [ -e /etc/systemd/system/$unit ]; then
  echo "/etc/systemd/system/$unit hides the unit of the package; trento-web service uninstall removes it."
fi

case "$1:$2" in
  1:* | configure:) installed ;;
  [2-9]:* | configure:*) updated ;;
esac
exit 0
