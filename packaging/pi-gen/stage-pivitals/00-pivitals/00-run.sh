#!/bin/bash -e
# Installs what lies in files/: the package, and, if they are there, pivitals.conf and the folder certs.

for deb in files/pivitals_*.deb; do
	install -m 644 "${deb}" "${ROOTFS_DIR}/tmp/pivitals.deb"
done
on_chroot << EOF_CHROOT
dpkg --install /tmp/pivitals.deb
EOF_CHROOT
rm "${ROOTFS_DIR}/tmp/pivitals.deb"

if [ -e files/pivitals.conf ]; then
	install -m 644 files/pivitals.conf "${ROOTFS_DIR}/etc/pivitals.conf"
fi
if [ -d files/certs ]; then
	install -m 640 files/certs/* "${ROOTFS_DIR}/etc/pivitals/certs/"
	on_chroot << EOF_CHROOT
chgrp -R pivitals /etc/pivitals/certs
EOF_CHROOT
fi
