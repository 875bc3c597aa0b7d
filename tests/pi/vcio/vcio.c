// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * /dev/vcio on a mainline kernel, for the emulated Pi of the tests and for nothing else.
 *
 * The Raspberry Pi's own kernel has this device, a mainline kernel has not, though it speaks to the
 * firmware. A request is the address of a property buffer: its length in bytes, a code, tags, and a
 * zero. The kernel's firmware driver frames the tags itself, so they alone are handed to it, and the
 * answers are copied back.
 */

#include <linux/compat.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/uaccess.h>

#include <soc/bcm2835/raspberrypi-firmware.h>

/* The number's size field holds that of a pointer: 8 bytes in a 64-bit process, 4 in a 32-bit one. */
#define PROPERTY_64 _IOC(_IOC_READ | _IOC_WRITE, 100, 0, 8)
#define PROPERTY_32 _IOC(_IOC_READ | _IOC_WRITE, 100, 0, 4)

/* Length and code before the tags, and the zero behind them. */
#define HEAD_BYTES 8
#define FRAME_BYTES 12
#define BUFFER_BYTES_MAX 4096

static struct rpi_firmware *firmware;

static long property(void __user *to_and_from)
{
	u32 bytes;
	u32 *buffer;
	long result;

	if (get_user(bytes, (u32 __user *)to_and_from))
		return -EFAULT;
	if (bytes < FRAME_BYTES || bytes > BUFFER_BYTES_MAX || bytes % sizeof(u32))
		return -EINVAL;
	buffer = memdup_user(to_and_from, bytes);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	result = rpi_firmware_property_list(firmware, (u8 *)buffer + HEAD_BYTES, bytes - FRAME_BYTES);
	if (!result) {
		buffer[1] = RPI_FIRMWARE_STATUS_SUCCESS;
		if (copy_to_user(to_and_from, buffer, bytes))
			result = -EFAULT;
	}
	kfree(buffer);
	return result;
}

static long native_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	return number == PROPERTY_64 ? property((void __user *)argument) : -ENOTTY;
}

/* A 32-bit process on the 64-bit kernel. */
static long compat_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	return number == PROPERTY_32 ? property(compat_ptr(argument)) : -ENOTTY;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = native_ioctl,
	.compat_ioctl = compat_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vcio",
	.fops = &operations,
};

static int __init vcio_init(void)
{
	struct device_node *node;
	int result;

	node = of_find_compatible_node(NULL, NULL, "raspberrypi,bcm2835-firmware");
	if (!node)
		return -ENODEV;
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	if (!firmware)
		return -ENODEV;
	result = misc_register(&device);
	if (result)
		rpi_firmware_put(firmware);
	return result;
}

static void __exit vcio_exit(void)
{
	misc_deregister(&device);
	rpi_firmware_put(firmware);
}

module_init(vcio_init);
module_exit(vcio_exit);

MODULE_DESCRIPTION("The VideoCore mailbox as /dev/vcio, for tests on an emulated Raspberry Pi");
MODULE_LICENSE("Dual MIT/GPL");
