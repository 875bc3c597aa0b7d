# What the scripts beside it share. They source it from the repository's root, with `set -euo pipefail`
# on; who starts a broker ends it with `end_broker`.
# shellcheck shell=bash

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# need PROGRAM COMMAND: the program, or a failure that names the command that installs it.
need() {
    command -v "$1" >/dev/null || fail "$1 is missing: $2"
}

# binary PROFILE TARGET: the path of what `cross/build` made.
binary() {
    local path=target/cross/$1/$2/pivitals small=
    [ "$1" = release ] || small='--small '
    [ -x "$path" ] || fail "$path is missing: cross/build $small$2"
    echo "$path"
}

# make_certificates FOLDER: an authority, a certificate for a broker on loopback (10.0.2.2 is what an
# emulated machine calls it), and in FOLDER/device a device's three files under AWS's names. They hold
# until after 2039.
make_certificates() {
    local folder=$1
    need openssl 'sudo apt install openssl'
    mkdir -p "$folder/device"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10000 -subj '/CN=test' \
        -keyout "$folder/ca.key" -out "$folder/device/AmazonRootCA1.pem" 2>/dev/null
    make_certificate "$folder" "$folder/server.key" "$folder/server.pem" \
        'subjectAltName=IP:127.0.0.1,IP:10.0.2.2'
    make_certificate "$folder" "$folder/device/thing-private.pem.key" \
        "$folder/device/thing-certificate.pem.crt" 'keyUsage=digitalSignature'
}

make_certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=test' \
        -keyout "$2" -out "$1/request.pem" 2>/dev/null
    openssl x509 -req -in "$1/request.pem" -CA "$1/device/AmazonRootCA1.pem" -CAkey "$1/ca.key" \
        -days 10000 -extfile <(echo "$4") -out "$3" 2>/dev/null
}

# start_broker FOLDER: a mosquitto with mutual TLS and the certificates of FOLDER, on a free port of
# loopback, which is then in $port. Its log comes out of descriptor $log.
start_broker() {
    local folder=$1 line
    # Not on every user's path.
    PATH=$PATH:/usr/sbin need mosquitto 'sudo apt install mosquitto'
    for _ in {1..20}; do
        port=$((20000 + RANDOM % 12000))
        cat >"$folder/mosquitto.conf" <<END
user $(id -un)
log_dest stderr
log_type all
allow_anonymous true
listener $port 127.0.0.1
cafile $folder/device/AmazonRootCA1.pem
certfile $folder/server.pem
keyfile $folder/server.key
require_certificate true
END
        exec {log}< <(PATH=$PATH:/usr/sbin exec mosquitto -c "$folder/mosquitto.conf" 2>&1)
        broker=$!
        while read -r -t 20 line <&"$log"; do
            [[ $line != *running* ]] || return 0
        done
        # It ended: the port was taken.
    done
    fail 'mosquitto does not start'
}

# end_broker: ends it and prints the rest of its log.
end_broker() {
    kill "$broker" 2>/dev/null || return 0
    cat <&"$log"
}
