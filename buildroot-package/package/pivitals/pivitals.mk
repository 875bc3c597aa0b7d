################################################################################
#
# pivitals
#
################################################################################

PIVITALS_VERSION = v0.1.0
# The clone that this tree is in. A copy of package/pivitals inside Buildroot
# has the address of a public repository here.
PIVITALS_SITE = $(realpath $(PIVITALS_PKGDIR)/../../..)
PIVITALS_SITE_METHOD = git
PIVITALS_LICENSE = MIT or Apache-2.0
PIVITALS_LICENSE_FILES = LICENSE-MIT LICENSE-APACHE

ifeq ($(BR2_PACKAGE_PIVITALS_MOZILLA_ROOTS),y)
PIVITALS_FEATURES += mozilla-roots
endif

ifeq ($(BR2_PACKAGE_PIVITALS_DISCOVERY),y)
PIVITALS_FEATURES += discovery
endif

# cargo compiles in both steps.
PIVITALS_CARGO_BUILD_OPTS = \
	--no-default-features --features "$(PIVITALS_FEATURES)"
PIVITALS_CARGO_INSTALL_OPTS = $(PIVITALS_CARGO_BUILD_OPTS)

define PIVITALS_INSTALL_CONFIG
	$(INSTALL) -D -m 0644 $(@D)/rootfs/etc/pivitals.conf \
		$(TARGET_DIR)/etc/pivitals.conf
	$(INSTALL) -d -m 0750 $(TARGET_DIR)/etc/pivitals/certs
endef
PIVITALS_POST_INSTALL_TARGET_HOOKS += PIVITALS_INSTALL_CONFIG

ifeq ($(BR2_PACKAGE_HAS_UDEV),y)
define PIVITALS_INSTALL_UDEV_RULE
	$(INSTALL) -D -m 0644 $(@D)/rootfs/usr/lib/udev/rules.d/60-pivitals.rules \
		$(TARGET_DIR)/usr/lib/udev/rules.d/60-pivitals.rules
endef
PIVITALS_POST_INSTALL_TARGET_HOOKS += PIVITALS_INSTALL_UDEV_RULE
endif

define PIVITALS_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(@D)/rootfs/etc/init.d/S90pivitals \
		$(TARGET_DIR)/etc/init.d/S90pivitals
endef

define PIVITALS_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/rootfs/usr/lib/systemd/system/pivitals.service \
		$(TARGET_DIR)/usr/lib/systemd/system/pivitals.service
endef

define PIVITALS_INSTALL_INIT_OPENRC
	$(INSTALL) -D -m 0755 $(@D)/rootfs/etc/init.d/pivitals \
		$(TARGET_DIR)/etc/init.d/pivitals
endef

define PIVITALS_USERS
	pivitals -1 pivitals -1 * - - video pivitals agent
endef

# What an overlay puts there belongs to whoever built the image.
define PIVITALS_PERMISSIONS
	/etc/pivitals r -1 root pivitals - - - - -
	/etc/pivitals/certs d 750 root pivitals - - - - -
endef

$(eval $(cargo-package))
