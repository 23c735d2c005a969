// SPDX-License-Identifier: GPL-2.0-only
/*
 * A firmware upload that takes what it is given, and its time: until it is cancelled. It
 * tells of calls that come when firmware_upload_unregister() has returned.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/firmware.h>
#include <linux/module.h>

static uint wait;
module_param(wait, uint, 0644);
MODULE_PARM_DESC(wait, "ms that a write waits for being cancelled");

static atomic_t cancelled = ATOMIC_INIT(0);
static atomic_t running = ATOMIC_INIT(0);
static struct device *root;
static struct fw_upload *upload;

static enum fw_upload_err prepare(struct fw_upload *fwl, const u8 *data, u32 size)
{
	atomic_inc(&running);
	return FW_UPLOAD_ERR_NONE;
}

static enum fw_upload_err write(struct fw_upload *fwl, const u8 *data, u32 offset,
				u32 size, u32 *written)
{
	uint left;

	for (left = wait; left && !atomic_read(&cancelled); left -= min(left, 10U))
		msleep(10);

	*written = size;
	return atomic_read(&cancelled) ? FW_UPLOAD_ERR_CANCELED : FW_UPLOAD_ERR_NONE;
}

static enum fw_upload_err poll_complete(struct fw_upload *fwl)
{
	return FW_UPLOAD_ERR_NONE;
}

static void cancel(struct fw_upload *fwl)
{
	atomic_set(&cancelled, 1);
}

static void cleanup(struct fw_upload *fwl)
{
	atomic_dec(&running);
}

static const struct fw_upload_ops ops = {
	.prepare = prepare,
	.write = write,
	.poll_complete = poll_complete,
	.cancel = cancel,
	.cleanup = cleanup,
};

static int __init bed_upload_init(void)
{
	root = root_device_register("bed_upload");
	if (IS_ERR(root))
		return PTR_ERR(root);

	upload = firmware_upload_register(NULL, root, "bed", &ops, NULL);
	if (IS_ERR(upload)) {
		root_device_unregister(root);
		return PTR_ERR(upload);
	}

	return 0;
}
module_init(bed_upload_init);

static void __exit bed_upload_exit(void)
{
	firmware_upload_unregister(upload);

	/* A worker that begins late, too; and not before it is gone may its code be. */
	msleep(50);
	if (atomic_read(&running))
		pr_err("an upload goes on after it was unregistered\n");
	while (atomic_read(&running))
		msleep(10);
	msleep(50);

	root_device_unregister(root);
}
module_exit(bed_upload_exit);

MODULE_DESCRIPTION("A firmware upload, for tests");
MODULE_LICENSE("GPL");
