#!/bin/sh
# For Raspberry Pi OS 12: lies on the boot partition and is run once, as root, at the end of the first boot.
set -eu
cat >/etc/systemd/system/telstraat-first-boot.service <<'UNIT'
[Unit]
Description=Install Telstraat when the network is there
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'curl -fsS --retry 20 --retry-all-errors --retry-delay 15 -o /run/telstraat-install.sh @TOWN@/device/install.sh && sh /run/telstraat-install.sh && systemctl disable telstraat-first-boot.service'
TimeoutStartSec=1h

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable telstraat-first-boot.service
systemctl start --no-block telstraat-first-boot.service
