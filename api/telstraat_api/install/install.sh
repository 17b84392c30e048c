#!/bin/sh
# Installs Telstraat on a Raspberry Pi (64-bit, Raspberry Pi OS 12 or 13) or another Debian, from the town's own server:
#   curl -fsS @TOWN@/device/install.sh | sudo sh
#   curl -fsS @TOWN@/device/install.sh | sudo sh -s -- --uninstall --keep     (or --erase)
# Running it again repairs or updates. All of it is one function: a download cut in the middle does nothing.
set -eu

main() {
    TOWN='@TOWN@'
    OPT=/opt/telstraat
    STATE=/var/lib/telstraat
    CONF=/etc/telstraat
    UNITS=/etc/systemd/system
    RULES=/etc/polkit-1/rules.d/60-telstraat.rules
    PORTAL=/etc/NetworkManager/dnsmasq-shared.d/telstraat.conf
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
    umask 022
    action=install data=ask video=auto sensor=''
    while [ $# -gt 0 ]; do
        case $1 in
            --uninstall) action=uninstall ;;
            --keep) data=keep ;;
            --erase) data=erase ;;
            --video) video=yes ;;
            --sensor) [ $# -gt 1 ] || fail "--sensor needs the name of the sensor"; sensor=$2; shift ;;
            *) fail "there is no option $1 (--video, --sensor NAME, --uninstall, --keep, --erase)" ;;
        esac
        shift
    done
    case $sensor in *[!a-z0-9-]*|-*) fail "the sensor's name '$sensor' may hold a-z, 0-9 and '-' only, as on its card" ;; esac
    [ "$(id -u)" = 0 ] || fail "this needs root: end the line with '| sudo sh'"
    mkdir -p /run/lock
    exec 9>/run/lock/telstraat-install.lock
    flock -n 9 || fail "another installation is running on this machine; wait until it has ended"
    for file in "$OPT/pyvenv.cfg" "$CONF/api.env" "$CONF/ingest.env"; do
        [ ! -e "$file" ] || fail "$file is there: this machine is a town's server; a device needs a machine of its own"
    done
    has_systemd=no
    [ ! -d /run/systemd/system ] || has_systemd=yes
    if [ "$action" = uninstall ]; then uninstall; else install_all; fi
}

say() { printf 'telstraat: %s\n' "$*"; }
fail() { printf 'telstraat: %s\n' "$*" >&2; exit 1; }
fetch() { curl -fsS --retry 3 --connect-timeout 20 "$@" </dev/null; }

install_all() {
    check_machine
    system_packages
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python $(python3 -c 'import platform; print(platform.python_version())') is too old: 3.11 is needed, as in Raspberry Pi OS 12 or 13"
    version=$(fetch "$TOWN/device/releases/latest") ||
        fail "$TOWN hands out no release for devices (or cannot be reached); its operator lays one ready with 'telstraat release'"
    case $version in ''|.*|*[!A-Za-z0-9.+]*) fail "$TOWN does not name a version but '$version'" ;; esac
    account
    release
    switch
    settings
    services
}

check_machine() {
    command -v apt-get >/dev/null 2>&1 || fail "this system has no apt-get; Raspberry Pi OS 12 or 13, or Debian 12 or 13, is needed"
    case $(dpkg --print-architecture) in
        arm64|amd64) ;;
        armhf|armel|i386) fail "this is a 32-bit system ($(dpkg --print-architecture)): write the 64-bit Raspberry Pi OS to the card; the board itself can be the same from the Pi Zero 2 and the Pi 3 on" ;;
        *) fail "there is no counting core for $(dpkg --print-architecture); a 64-bit Raspberry Pi or PC is needed" ;;
    esac
}

is_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q ' ok installed$'; }

system_packages() {
    say "installing system packages by apt (minutes on a small board)"
    apt-get update -qq </dev/null || say "apt-get update did not end well; going on with what is known"
    set -- ca-certificates curl man-db python3 python3-venv python3-numpy
    [ "$has_systemd" = no ] || set -- "$@" network-manager avahi-daemon polkitd
    if apt-cache show python3-picamera2 >/dev/null 2>&1; then
        set -- "$@" python3-picamera2
    else
        say "there is no python3-picamera2 here: USB cameras and RTSP only"
        [ "$video" = yes ] || video=libraries
    fi
    mkdir -p "$OPT"
    for package in "$@"; do
        case $package in network-manager|ca-certificates|curl) continue ;; esac
        is_installed "$package" || grep -qx "$package" "$OPT/packages" 2>/dev/null || echo "$package" >>"$OPT/packages"
    done
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$OPT/apt.log" 2>&1 || {
        tail -n 5 "$OPT/apt.log" >&2
        fail "apt could not install: $* (the lines above say why; all of them are in $OPT/apt.log)"
    }
}

account() {
    getent group telstraat >/dev/null || groupadd --system telstraat
    getent passwd telstraat >/dev/null ||
        useradd --system --gid telstraat --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin telstraat
    for group in video gpio; do
        ! getent group "$group" >/dev/null || usermod -a -G "$group" telstraat
    done
    # Whoever sets up writes here as telstraat; nobody else reads it.
    mkdir -p "$CONF" "$STATE"
    chown telstraat:telstraat "$CONF" "$STATE"
    chmod 0700 "$CONF" "$STATE"
}

release() {
    folder=$OPT/releases/$version
    want=lists
    [ "$video" = auto ] || want=video
    if [ -e "$folder/.complete" ] && [ "$(cat "$folder/.complete")" = "$want" ]; then
        say "version $version is installed already"
        return
    fi
    say "making an environment for version $version in $folder"
    # What runs now is never touched: an unfinished folder of this version is made again, beside it.
    if [ "$(readlink "$OPT/current" 2>/dev/null || true)" = "releases/$version" ]; then
        say "the installed one is completed in place"
    else
        rm -rf "$folder"
    fi
    mkdir -p "$folder"
    python3 -m venv --system-site-packages "$folder" </dev/null
    fetch "$TOWN/device/releases/$version/requirements.txt" >"$folder/requirements.txt"
    if [ "$want" = video ]; then fetch "$TOWN/device/releases/$version/video.txt" >>"$folder/requirements.txt"; fi
    # Every file by its hash, from the town alone; numpy is the system's, which picamera2 was built with.
    PIP_CONFIG_FILE=/dev/null "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-cache-dir \
        --no-index --find-links "$TOWN/device/releases/$version/wheels" --no-deps --require-hashes \
        -r "$folder/requirements.txt" </dev/null
    "$folder/bin/telstraat" --version >/dev/null || fail "version $version does not start; nothing was switched"
    echo "$want" >"$folder/.complete"
}

switch() {
    ln -sfn "releases/$version" "$OPT/.current.new"
    mv -T "$OPT/.current.new" "$OPT/current"
    mkdir -p /usr/local/bin /usr/local/share/man/man1
    ln -sfn "$OPT/current/bin/telstraat" /usr/local/bin/telstraat
    ln -sfn "$OPT/current/share/man/man1/telstraat.1" /usr/local/share/man/man1/telstraat.1
}

settings() {
    [ -e "$CONF/setup.toml" ] || {
        {
            printf '[town]\naddress = "%s"\n' "$TOWN"
            [ -z "$sensor" ] || printf '[device]\nsensor = "%s"\n' "$sensor"
        } >"$CONF/setup.toml.new"
        chown telstraat:telstraat "$CONF/setup.toml.new"
        chmod 0600 "$CONF/setup.toml.new"
        mv "$CONF/setup.toml.new" "$CONF/setup.toml"
    }
    mkdir -p "${RULES%/*}" "${PORTAL%/*}" "$UNITS"
    install -m 0644 "$OPT/current/share/telstraat/polkit.rules" "$RULES"
    echo 'address=/#/10.42.0.1' >"$PORTAL"
    for unit in "$OPT/current/lib/systemd/system"/telstraat-*; do
        install -m 0644 "$unit" "$UNITS/${unit##*/}"
    done
}

services() {
    if [ "$has_systemd" = no ]; then
        say "systemd does not run here (a chroot or container): services are installed and not started"
        say "version $version is installed; 'telstraat setup' and 'telstraat device' start it by hand"
        return
    fi
    systemctl daemon-reload
    systemctl enable --quiet telstraat-device.service
    systemctl enable --quiet telstraat-setup.service
    for timer in "$UNITS"/telstraat-*.timer; do
        [ ! -e "$timer" ] || systemctl enable --now --quiet "${timer##*/}"
    done
    systemctl restart telstraat-setup.service
    systemctl restart telstraat-device.service || say "counting has not started; 'journalctl -u telstraat-device' says why"
    say "version $version is installed; set it up with a phone in the same network: http://$(hostname).local"
    # As the service, whose file it is.
    setpriv --reuid telstraat --regid telstraat --init-groups /usr/local/bin/telstraat setup --show-code </dev/null || true
}

uninstall() {
    if [ "$data" = ask ]; then
        # stdin is the script; a person is at the terminal, or nowhere.
        { printf 'Erase the counts, settings and password on this device too? Type yes, or no to keep them: ' >/dev/tty; } 2>/dev/null ||
            fail "nobody can be asked here: add --keep (counts, settings and password stay) or --erase (nothing stays)"
        read -r answer </dev/tty
        case $answer in yes) data=erase ;; no) data=keep ;; *) fail "neither yes nor no: nothing was done" ;; esac
    fi
    if [ "$has_systemd" = yes ]; then
        for unit in "$UNITS"/telstraat-*; do
            [ ! -e "$unit" ] || systemctl disable --now --quiet "${unit##*/}" || say "${unit##*/} did not stop"
        done
    fi
    rm -f "$UNITS"/telstraat-* "$RULES" "$PORTAL" /usr/local/bin/telstraat /usr/local/share/man/man1/telstraat.1
    [ "$has_systemd" = no ] || systemctl daemon-reload
    if [ -s "$OPT/packages" ]; then
        # Not removed outright: something else may need them by now. apt knows, once they are nobody's wish.
        xargs apt-mark auto <"$OPT/packages" >/dev/null 2>&1 || true
        say "system packages that came with it go with: apt-get autoremove --purge"
    fi
    rm -rf "$OPT" /var/cache/telstraat /run/telstraat
    if [ "$data" = erase ]; then
        rm -rf "$STATE" "$CONF"
        ! getent passwd telstraat >/dev/null || userdel telstraat
        ! getent group telstraat >/dev/null || groupdel telstraat
        say "nothing of it is left"
    else
        say "removed; $STATE and $CONF stay, with their user, for the next installation"
    fi
    rm -f /run/lock/telstraat-install.lock
}

main "$@"
