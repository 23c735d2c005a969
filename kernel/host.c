// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tdx_host device: mainline's attributes and fw_upload node, and beside them what an
 * updater needs to do it well: an update that answers with its errno, the TDs under
 * construction, and who guards them. ABI/ documents every file.
 *
 * What a TDX module is and how it gets replaced is the backend's business (seam.h).
 */
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/firmware.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sysfs.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "device.h"
#include "seam.h"

/* As mainline's TDX_VERSION_FMT. */
#define VERSION_FMT    "%u.%u.%02u"
#define VERSION_ARG(v) (v).major, (v).minor, (v).update

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
typedef const struct bin_attribute bin_attribute_arg;
#else
typedef struct bin_attribute bin_attribute_arg;
#endif

/*
 * One device per machine.
 *
 * @updating: bit 0 is held by whoever replaces the module, through `update` or fw_upload
 * @lock: the staging area
 */
static struct {
	struct device *dev;
	struct fw_upload *fwl;
	struct kernfs_node *building;
	unsigned long updating;
	struct mutex lock;
	u8 *image;
	size_t staged;
} host = {
	.lock = __MUTEX_INITIALIZER(host.lock),
};

static ssize_t version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct tdx_host_version v;
	int ret = tdx_backend_version(&v);

	return ret ?: sysfs_emit(buf, VERSION_FMT "\n", VERSION_ARG(v));
}
static DEVICE_ATTR_RO(version);

static ssize_t features0_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	u64 features;
	int ret = tdx_backend_features0(&features);

	return ret ?: sysfs_emit(buf, "0x%016llx\n", features);
}
static DEVICE_ATTR_RO(features0);

static struct attribute *module_attrs[] = {
	&dev_attr_version.attr,
	&dev_attr_features0.attr,
	NULL,
};

static const struct attribute_group module_group = {
	.attrs = module_attrs,
};

static ssize_t tds_building_show(struct device *dev, struct device_attribute *attr,
				 char *buf)
{
	int count = tdx_backend_tds_building();

	return count < 0 ? count : sysfs_emit(buf, "%d\n", count);
}
static DEVICE_ATTR_RO(tds_building);

static struct attribute *building_attrs[] = {
	&dev_attr_tds_building.attr,
	NULL,
};

static const struct attribute_group building_group = {
	.attrs = building_attrs,
};

static ssize_t last_status_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	struct tdx_host_seamcall call;

	if (!tdx_backend_last_seamcall(&call))
		return 0;

	return sysfs_emit(buf, "0x%llx 0x%016llx\n", call.leaf, call.status);
}
static DEVICE_ATTR_RO(last_status);

static struct attribute *status_attrs[] = {
	&dev_attr_last_status.attr,
	NULL,
};

static const struct attribute_group status_group = {
	.attrs = status_attrs,
};

static ssize_t seamldr_version_show(struct device *dev, struct device_attribute *attr,
				    char *buf)
{
	struct tdx_host_version v;
	u32 remaining;
	int ret = tdx_backend_seamldr(&v, &remaining);

	return ret ?: sysfs_emit(buf, VERSION_FMT "\n", VERSION_ARG(v));
}
static DEVICE_ATTR_ADMIN_RO(seamldr_version);

static ssize_t num_remaining_updates_show(struct device *dev,
					  struct device_attribute *attr, char *buf)
{
	struct tdx_host_version v;
	u32 remaining;
	int ret = tdx_backend_seamldr(&v, &remaining);

	return ret ?: sysfs_emit(buf, "%u\n", remaining);
}
static DEVICE_ATTR_ADMIN_RO(num_remaining_updates);

static ssize_t update_guard_show(struct device *dev, struct device_attribute *attr,
				 char *buf)
{
	static const char *const names[] = {
		[TDX_HOST_GUARD_NONE] = "none",
		[TDX_HOST_GUARD_KERNEL] = "kernel",
		[TDX_HOST_GUARD_MODULE] = "module",
	};

	return sysfs_emit(buf, "%s\n", names[tdx_backend_guard()]);
}
static DEVICE_ATTR_RO(update_guard);

static void send_event(struct device *dev, char *event, char *from, char *to)
{
	char *env[] = { event, from, to, NULL };

	kobject_uevent_env(&dev->kobj, KOBJ_CHANGE, env);
}

static void report_updated(struct device *dev, const struct tdx_host_version *before)
{
	struct tdx_host_version after;
	char from[32], to[32];

	if (tdx_backend_version(&after))
		return;

	snprintf(from, sizeof(from), "FROM=" VERSION_FMT, VERSION_ARG(*before));
	snprintf(to, sizeof(to), "TO=" VERSION_FMT, VERSION_ARG(after));
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

static void drop_image(void)
{
	vfree(host.image);
	host.image = NULL;
	host.staged = 0;
}

/* The whole area at once: an image that fits is then never refused for lack of memory. */
static int start_image(void)
{
	if (!host.image)
		host.image = vmalloc(TDX_HOST_IMAGE_MAX);
	host.staged = 0;

	return host.image ? 0 : -ENOMEM;
}

static ssize_t image_write(struct file *file, struct kobject *kobj,
			   bin_attribute_arg *attr, char *buf, loff_t offset,
			   size_t count)
{
	ssize_t ret = count;

	/* What fw_upload asks of who writes its `data`. */
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;

	/* Held by another writer, or by an update that is reading the image. */
	if (!mutex_trylock(&host.lock))
		return -EBUSY;

	if (!offset && start_image()) {
		ret = -ENOMEM;
	} else if (!host.image || offset != host.staged) {
		ret = -EINVAL;
	} else if (count > TDX_HOST_IMAGE_MAX - host.staged) {
		ret = -EFBIG;
	} else {
		memcpy(host.image + host.staged, buf, count);
		host.staged += count;
	}

	mutex_unlock(&host.lock);
	return ret;
}
static BIN_ATTR_WO(image, TDX_HOST_IMAGE_MAX);

static int update_from_image(struct device *dev)
{
	int ret;

	guard(mutex)(&host.lock);

	if (!host.staged)
		return -EINVAL;

	ret = tdx_backend_check();
	if (!ret)
		ret = replace_module(dev, host.image, host.staged);

	/* The same image may do in a moment, and the next attempt must find it ready. */
	if (ret != -EBUSY && ret != -ENOMEM)
		drop_image();

	return ret;
}

static ssize_t update_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	int ret;

	if (!sysfs_streq(buf, "1"))
		return -EINVAL;
	if (test_and_set_bit_lock(0, &host.updating))
		return -EALREADY;

	ret = update_from_image(dev);
	clear_bit_unlock(0, &host.updating);

	return ret ?: count;
}
static DEVICE_ATTR_WO(update);

static struct attribute *update_attrs[] = {
	&dev_attr_seamldr_version.attr,
	&dev_attr_num_remaining_updates.attr,
	&dev_attr_update_guard.attr,
	&dev_attr_update.attr,
	NULL,
};

/* The element type gained its const over several releases. */
static typeof(*((struct attribute_group *)NULL)->bin_attrs) update_bin_attrs[] = {
	&bin_attr_image,
	NULL,
};

static const struct attribute_group update_group = {
	.attrs = update_attrs,
	.bin_attrs = update_bin_attrs,
};

static enum fw_upload_err upload_prepare(struct fw_upload *fwl, const u8 *data, u32 size)
{
	return FW_UPLOAD_ERR_NONE;
}

static enum fw_upload_err upload_write(struct fw_upload *fwl, const u8 *data, u32 offset,
				       u32 size, u32 *written)
{
	int ret;

	if (test_and_set_bit_lock(0, &host.updating))
		return FW_UPLOAD_ERR_BUSY;

	ret = replace_module(host.dev, data, size);
	clear_bit_unlock(0, &host.updating);

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
static int upload_register(void)
{
	struct fw_upload *fwl;

	fwl = firmware_upload_register(NULL, host.dev, "tdx_module", &upload_ops, NULL);
	if (IS_ERR(fwl))
		return PTR_ERR(fwl);

	host.fwl = fwl;
	return 0;
}

/*
 * firmware_upload_unregister() waits for a worker it sees, but a commit written just
 * after that look would start one that outlives this module's text. `loading` is the only
 * way to start a worker: with the file gone and its writers drained, none can come.
 */
static void upload_unregister(void)
{
	static const struct attribute loading = { .name = "loading" };
	struct device *upload = device_find_child_by_name(host.dev, "tdx_module");

	if (upload) {
		sysfs_remove_file(&upload->kobj, &loading);
		put_device(upload);
	}

	firmware_upload_unregister(host.fwl);
}

void tdx_host_building_changed(void)
{
	struct kernfs_node *kn = READ_ONCE(host.building);

	if (kn)
		sysfs_notify_dirent(kn);
}

static struct device *create_device(unsigned int caps)
{
	static const struct attribute_group *groups[5];
	size_t i = 0;

	groups[i++] = &module_group;
	if (caps & TDX_BACKEND_COUNTS)
		groups[i++] = &building_group;
	if (caps & TDX_BACKEND_LAST_STATUS)
		groups[i++] = &status_group;
	if (caps & TDX_BACKEND_UPDATES)
		groups[i++] = &update_group;
	groups[i] = NULL;

	return tdx_host_device_create(groups);
}

static int __init tdx_host_init(void)
{
	unsigned int caps;
	int ret;

	ret = tdx_backend_init();
	if (ret)
		return ret;

	caps = tdx_backend_caps();
	host.dev = create_device(caps);
	if (IS_ERR(host.dev)) {
		ret = PTR_ERR(host.dev);
		goto err_backend;
	}

	if (caps & TDX_BACKEND_UPDATES) {
		ret = upload_register();
		if (ret)
			goto err_device;
	}

	if (caps & TDX_BACKEND_COUNTS)
		WRITE_ONCE(host.building,
			   sysfs_get_dirent(host.dev->kobj.sd, "tds_building"));

	return 0;

err_device:
	tdx_host_device_destroy(host.dev);
	drop_image();
err_backend:
	tdx_backend_exit();
	return ret;
}
module_init(tdx_host_init);

static void __exit tdx_host_exit(void)
{
	if (host.fwl)
		upload_unregister();
	tdx_host_device_destroy(host.dev);

	/* The backend is the one who notifies; with it gone the node has no user left. */
	tdx_backend_exit();
	sysfs_put(host.building);
	drop_image();
}
module_exit(tdx_host_exit);

MODULE_LICENSE("GPL");
