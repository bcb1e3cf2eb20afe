#!/bin/sh
# Runs before dpkg or rpm removes the package. The argument of dpkg is "remove" then, and that of rpm is 0;
# in an upgrade it is "upgrade", and 1.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now catbridge.service catbridge-serve.service || true
	fi
	;;
esac
