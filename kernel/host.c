// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tdx_host device: mainline's attributes, and beside them what an updater needs to do
 * it well: the features of the module that runs, the TDs under construction, and who
 * guards them. host-update.c has the ways to replace the module. ABI/ documents every
 * file.
 *
 * What a TDX module is and how it gets replaced is the backend's business (backend.h).
 */
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "backend.h"
#include "device.h"
#include "host-update.h"

static struct device *device;
static struct kernfs_node *building;

static ssize_t version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct tdx_host_version v;
	int ret = tdx_backend_version(&v);

	return ret ?: sysfs_emit(buf, TDX_HOST_VERSION_FMT "\n", TDX_HOST_VERSION_ARG(v));
}
static DEVICE_ATTR_RO(version);

static struct attribute *version_attrs[] = {
	&dev_attr_version.attr,
	NULL,
};

static const struct attribute_group version_group = {
	.attrs = version_attrs,
};

static ssize_t features0_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	u64 features;
	int ret = tdx_backend_features0(&features);

	return ret ?: sysfs_emit(buf, "0x%016llx\n", features);
}
static DEVICE_ATTR_RO(features0);

static struct attribute *features_attrs[] = {
	&dev_attr_features0.attr,
	NULL,
};

static const struct attribute_group features_group = {
	.attrs = features_attrs,
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

	return ret ?: sysfs_emit(buf, TDX_HOST_VERSION_FMT "\n", TDX_HOST_VERSION_ARG(v));
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

static struct attribute *seamldr_attrs[] = {
	&dev_attr_seamldr_version.attr,
	&dev_attr_num_remaining_updates.attr,
	NULL,
};

static const struct attribute_group seamldr_group = {
	.attrs = seamldr_attrs,
};

static ssize_t mrseam_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct tdx_host_identity identity;
	int ret = tdx_backend_identity(&identity);

	return ret
		       ?: sysfs_emit(buf, "%*phN\n", (int)sizeof(identity.mrseam),
				     identity.mrseam);
}
static DEVICE_ATTR_RO(mrseam);

static ssize_t tee_tcb_svn_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	struct tdx_host_identity identity;
	int ret = tdx_backend_identity(&identity);

	return ret
		       ?: sysfs_emit(buf, "%*phN\n", (int)sizeof(identity.tee_tcb_svn),
				     identity.tee_tcb_svn);
}
static DEVICE_ATTR_RO(tee_tcb_svn);

static struct attribute *identity_attrs[] = {
	&dev_attr_mrseam.attr,
	&dev_attr_tee_tcb_svn.attr,
	NULL,
};

static const struct attribute_group identity_group = {
	.attrs = identity_attrs,
};

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

static struct attribute *guard_attrs[] = {
	&dev_attr_update_guard.attr,
	NULL,
};

static const struct attribute_group guard_group = {
	.attrs = guard_attrs,
};

static void notify_building(struct irq_work *work)
{
	struct kernfs_node *kn = READ_ONCE(building);

	if (kn)
		sysfs_notify_dirent(kn);
}
static struct irq_work building_work = IRQ_WORK_INIT(notify_building);

/* From probes, too: with preemption off, where PREEMPT_RT can't take kernfs's locks. */
void tdx_host_building_changed(void)
{
	irq_work_queue(&building_work);
}

static struct device *create_device(unsigned int caps)
{
	/* All of them, and the NULL behind the last. */
	static const struct attribute_group *groups[9];
	bool has_extras = caps & TDX_BACKEND_EXTRAS,
	     can_update = caps & TDX_BACKEND_UPDATES;
	size_t i = 0;

	groups[i++] = &version_group;
	if (has_extras)
		groups[i++] = &features_group;
	if (caps & TDX_BACKEND_COUNTS)
		groups[i++] = &building_group;
	if (caps & TDX_BACKEND_LAST_STATUS)
		groups[i++] = &status_group;
	if (can_update)
		groups[i++] = &seamldr_group;
	if (can_update && has_extras) {
		groups[i++] = &identity_group;
		groups[i++] = &guard_group;
		groups[i++] = &tdx_host_trigger_group;
	}
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
	device = create_device(caps);
	if (IS_ERR(device)) {
		ret = PTR_ERR(device);
		goto err_backend;
	}

	if (caps & TDX_BACKEND_UPDATES) {
		ret = tdx_host_upload_register(device);
		if (ret)
			goto err_device;
	}

	if (caps & TDX_BACKEND_COUNTS)
		WRITE_ONCE(building, sysfs_get_dirent(device->kobj.sd, "tds_building"));

	return 0;

err_device:
	tdx_host_device_destroy(device);
	tdx_host_drop_image();
err_backend:
	tdx_backend_exit();
	irq_work_sync(&building_work);
	return ret;
}
module_init(tdx_host_init);

static void __exit tdx_host_exit(void)
{
	tdx_host_upload_unregister();
	tdx_host_device_destroy(device);

	/* The backend is the one who notifies; with it gone the node has no user left. */
	tdx_backend_exit();
	irq_work_sync(&building_work);
	sysfs_put(building);
	tdx_host_drop_image();
}
module_exit(tdx_host_exit);

MODULE_LICENSE("GPL");
