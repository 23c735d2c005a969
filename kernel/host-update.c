// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ways to replace the TDX module: mainline's fw_upload node, and the trigger
 * (`image` and `update`), which answers with its errno. One at a time, whichever it is.
 *
 * What may be replaced by what, and how, is the backend's business (backend.h).
 */
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/firmware.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/security.h>
#include <linux/sysfs.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "backend.h"
#include "host-update.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
typedef const struct bin_attribute bin_attribute_arg;
#else
typedef struct bin_attribute bin_attribute_arg;
#endif

/*
 * @busy: bit 0 is held by whoever replaces the module
 * @lock: the staging area of the trigger
 */
static struct {
	struct device *dev;
	struct fw_upload *fwl;
	unsigned long busy;
	struct mutex lock;
	u8 *image;
	size_t staged;
} update = {
	.lock = __MUTEX_INITIALIZER(update.lock),
};

static void send_event(struct device *dev, char *event, char *from, char *to)
{
	char *env[] = { event, from, to, NULL };

	if (!(tdx_backend_caps() & TDX_BACKEND_EXTRAS))
		return;

	kobject_uevent_env(&dev->kobj, KOBJ_CHANGE, env);
}

static void report_updated(struct device *dev, const struct tdx_host_version *before)
{
	struct tdx_host_version after;
	char from[32], to[32];

	if (tdx_backend_version(&after))
		return;

	snprintf(from, sizeof(from), "FROM=" TDX_HOST_VERSION_FMT,
		 TDX_HOST_VERSION_ARG(*before));
	snprintf(to, sizeof(to), "TO=" TDX_HOST_VERSION_FMT, TDX_HOST_VERSION_ARG(after));
	dev_info(dev, "TDX module updated: %s %s\n", from, to);
	send_event(dev, "TDX_EVENT=updated", from, to);
}

/*
 * Replace the module and tell the world. Whatever the backend's errno was, what matters
 * afterwards is whether the old module still lives, and only its version tells that.
 */
static int replace_module(struct device *dev, const u8 *image, u32 size)
{
	struct tdx_host_version before = {}, now;
	bool was_live = !tdx_backend_version(&before);
	int ret = tdx_backend_install(image, size);

	if (!ret) {
		report_updated(dev, &before);
		return 0;
	}
	if (tdx_backend_version(&now) != -ENXIO)
		return ret;

	if (was_live) {
		dev_crit(dev, "TDX is lost until reboot (%d)\n", ret);
		send_event(dev, "TDX_EVENT=lost", NULL, NULL);
	}

	return -ENXIO;
}

/* Nobody writes to it any more, or the caller holds the lock. */
void tdx_host_drop_image(void)
{
	vfree(update.image);
	update.image = NULL;
	update.staged = 0;
}

/*
 * The whole area at once: an image that fits is then never refused for lack of memory.
 * Security modules are asked as for all firmware that does not come from a file: here
 * whether at all, and before it is used whether it may be this.
 */
static int start_image(void)
{
	int ret = security_kernel_load_data(LOADING_FIRMWARE, true);

	update.staged = 0;
	if (!ret && !update.image) {
		update.image = vmalloc(TDX_HOST_IMAGE_MAX);
		ret = update.image ? 0 : -ENOMEM;
	}

	return ret;
}

static ssize_t image_write(struct file *file, struct kobject *kobj,
			   bin_attribute_arg *attr, char *buf, loff_t offset,
			   size_t count)
{
	ssize_t ret = count;
	int error = 0;

	/* What fw_upload asks of who writes its `data`. */
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;

	/* Held by another writer, or by an update that is reading the image. */
	if (!mutex_trylock(&update.lock))
		return -EBUSY;

	if (!offset)
		error = start_image();
	if (error) {
		ret = error;
	} else if (!update.image || offset != update.staged) {
		ret = -EINVAL;
	} else if (count > TDX_HOST_IMAGE_MAX - update.staged) {
		ret = -EFBIG;
	} else {
		memcpy(update.image + update.staged, buf, count);
		update.staged += count;
	}

	mutex_unlock(&update.lock);
	return ret;
}
static BIN_ATTR_WO(image, TDX_HOST_IMAGE_MAX);

static int update_from_image(struct device *dev)
{
	int ret;

	guard(mutex)(&update.lock);

	if (!update.staged)
		return -EINVAL;

	ret = tdx_backend_check();
	if (!ret)
		ret = security_kernel_post_load_data(update.image, update.staged,
						     LOADING_FIRMWARE, "tdx_module");
	if (!ret)
		ret = replace_module(dev, update.image, update.staged);

	/* The same image may do in a moment, and the next attempt must find it ready. */
	if (ret != -EBUSY && ret != -ENOMEM)
		tdx_host_drop_image();

	return ret;
}

static ssize_t update_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	int ret;

	if (!sysfs_streq(buf, "1"))
		return -EINVAL;
	if (test_and_set_bit_lock(0, &update.busy))
		return -EALREADY;

	ret = update_from_image(dev);
	clear_bit_unlock(0, &update.busy);

	return ret ?: count;
}
static DEVICE_ATTR_WO(update);

static struct attribute *trigger_attrs[] = {
	&dev_attr_update.attr,
	NULL,
};

/* The element type gained its const over several releases. */
static typeof(*((struct attribute_group *)NULL)->bin_attrs) trigger_bin_attrs[] = {
	&bin_attr_image,
	NULL,
};

const struct attribute_group tdx_host_trigger_group = {
	.attrs = trigger_attrs,
	.bin_attrs = trigger_bin_attrs,
};

static enum fw_upload_err upload_prepare(struct fw_upload *fwl, const u8 *data, u32 size)
{
	return FW_UPLOAD_ERR_NONE;
}

static enum fw_upload_err upload_write(struct fw_upload *fwl, const u8 *data, u32 offset,
				       u32 size, u32 *written)
{
	int ret;

	if (test_and_set_bit_lock(0, &update.busy))
		return FW_UPLOAD_ERR_BUSY;

	ret = replace_module(update.dev, data, size);
	clear_bit_unlock(0, &update.busy);

	if (!ret)
		*written = size;

	switch (ret) {
	case 0:
		return FW_UPLOAD_ERR_NONE;
	case -EBUSY:
		return FW_UPLOAD_ERR_BUSY;
	default:
		return FW_UPLOAD_ERR_FW_INVALID;
	}
}

static enum fw_upload_err upload_poll_complete(struct fw_upload *fwl)
{
	return FW_UPLOAD_ERR_NONE;
}

/* Stopping half-way would lose the module. */
static void upload_cancel(struct fw_upload *fwl)
{
}

static const struct fw_upload_ops upload_ops = {
	.prepare = upload_prepare,
	.write = upload_write,
	.poll_complete = upload_poll_complete,
	.cancel = upload_cancel,
};

/*
 * Registered with no module: firmware_upload_register(THIS_MODULE) would take a reference
 * that only unregistering in module_exit returns, and rmmod would be refused for ever.
 */
int tdx_host_upload_register(struct device *dev)
{
	struct fw_upload *fwl;

	update.dev = dev;
	fwl = firmware_upload_register(NULL, dev, "tdx_module", &upload_ops, NULL);
	if (IS_ERR(fwl))
		return PTR_ERR(fwl);

	update.fwl = fwl;
	return 0;
}

/*
 * firmware_upload_unregister() waits for a worker it sees, but a commit written just
 * after that look would start one that outlives this module's text. `loading` is the only
 * way to start a worker: with the file gone and its writers drained, none can come.
 */
void tdx_host_upload_unregister(void)
{
	static const struct attribute loading = { .name = "loading" };
	struct device *upload;

	if (!update.fwl)
		return;

	upload = device_find_child_by_name(update.dev, "tdx_module");
	if (upload) {
		sysfs_remove_file(&upload->kobj, &loading);
		put_device(upload);
	}

	firmware_upload_unregister(update.fwl);
}
