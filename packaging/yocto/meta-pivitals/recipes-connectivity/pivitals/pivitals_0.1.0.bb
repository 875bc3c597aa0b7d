SUMMARY = "Vital signs of a Raspberry Pi to an MQTT broker"
DESCRIPTION = "Publishes CPU, memory, disk and temperature through AWS IoT Core, \
               or any MQTT broker with client certificates. Samples wait in memory \
               while the line is down."
SECTION = "net"
LICENSE = "MIT | Apache-2.0"
LIC_FILES_CHKSUM = "\
    file://LICENSE-MIT;md5=0d901f060175b4d1ac97a8feb36beabc \
    file://LICENSE-APACHE;md5=3b83ef96387f14655fc854ddc3c6bd57 \
"

require ${BPN}-crates.inc

# The clone that this layer is in; a public repository where the layer is used without it.
PIVITALS_REPOSITORY ?= "git://${@os.path.realpath('${THISDIR}/../../../../..')};protocol=file;branch=main"
SRC_URI += "${PIVITALS_REPOSITORY}"
# The head of the branch; a distribution pins a release's commit in its own configuration.
# nooelint: oelint.vars.autorev
SRCREV ?= "${AUTOREV}"

CVE_PRODUCT = "pivitals"

inherit cargo cargo-update-recipe-crates systemd update-rc.d useradd

# The features of Cargo.toml; the layer's README says what each is for.
PACKAGECONFIG ??= "mozilla-roots discovery"
PACKAGECONFIG[mozilla-roots] = "--features mozilla-roots"
PACKAGECONFIG[discovery] = "--features discovery"
CARGO_BUILD_FLAGS:append = " --no-default-features"

# Left to the packaging, which keeps the symbols in a package of their own.
export CARGO_PROFILE_RELEASE_STRIP = "none"

USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "\
    --system --user-group --groups video --no-create-home \
    --home-dir /nonexistent --shell /sbin/nologin pivitals \
"

INITSCRIPT_NAME = "pivitals"
INITSCRIPT_PARAMS = "defaults 90 10"
SYSTEMD_SERVICE:${PN} = "pivitals.service"

do_install:append() {
    install -D -m 0644 ${S}/rootfs/etc/pivitals.conf ${D}${sysconfdir}/pivitals.conf
    install -d -m 2750 -g pivitals ${D}${sysconfdir}/pivitals/certs
    install -D -m 0644 ${S}/rootfs/usr/lib/udev/rules.d/60-pivitals.rules \
        ${D}${nonarch_base_libdir}/udev/rules.d/60-pivitals.rules

    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        install -D -m 0644 ${S}/rootfs/usr/lib/systemd/system/pivitals.service \
            ${D}${systemd_system_unitdir}/pivitals.service
    fi
    if ${@bb.utils.contains('DISTRO_FEATURES', 'sysvinit', 'true', 'false', d)}; then
        install -D -m 0755 ${S}/rootfs/etc/init.d/S90pivitals ${D}${sysconfdir}/init.d/pivitals
    fi
}

CONFFILES:${PN} = "${sysconfdir}/pivitals.conf"
