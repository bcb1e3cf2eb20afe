#!/bin/sh
# Runs after dpkg or rpm installed the package, or upgraded it. The first installation starts nothing: the
# services need their settings first. An upgrade restarts those that run, and does not wait: the start of a
# service takes as long as Redis is unreachable.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	systemctl --no-block try-restart catbridge.service catbridge-serve.service || true
fi
