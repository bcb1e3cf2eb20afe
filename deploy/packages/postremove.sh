#!/bin/sh
# Runs after dpkg or rpm removed the package.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
