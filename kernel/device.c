// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the device lives: /sys/devices/faux/tdx_host on every kernel.
 *
 * The faux bus came with 6.14. Before that, a bus of the same name with no drivers gives
 * the same path and the same uevents (a device with neither bus nor class would send
 * none).
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "device.h"

#define TDX_HOST_DEVICE "tdx_host"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)

#include <linux/device/faux.h>

struct device *tdx_host_device_create(const struct attribute_group **groups)
{
	struct faux_device *fdev;

	fdev = faux_device_create_with_groups(TDX_HOST_DEVICE, NULL, NULL, groups);
	return fdev ? &fdev->dev : ERR_PTR(-ENODEV);
}

void tdx_host_device_destroy(struct device *dev)
{
	faux_device_destroy(to_faux_device(dev));
}

#else

static const struct bus_type faux_bus = {
	.name = "faux",
};

static struct device *faux_root;

static void tdx_host_device_release(struct device *dev)
{
	kfree(dev);
}

static struct device *add_device(const struct attribute_group **groups)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int ret;

	if (!dev)
		return ERR_PTR(-ENOMEM);

	device_initialize(dev);
	dev->bus = &faux_bus;
	dev->parent = faux_root;
	dev->groups = groups;
	dev->release = tdx_host_device_release;

	ret = dev_set_name(dev, TDX_HOST_DEVICE);
	if (!ret)
		ret = device_add(dev);
	if (ret) {
		put_device(dev);
		return ERR_PTR(ret);
	}

	return dev;
}

struct device *tdx_host_device_create(const struct attribute_group **groups)
{
	struct device *dev;
	int ret;

	ret = bus_register(&faux_bus);
	if (ret)
		return ERR_PTR(ret);

	faux_root = root_device_register("faux");
	if (IS_ERR(faux_root)) {
		bus_unregister(&faux_bus);
		return faux_root;
	}

	dev = add_device(groups);
	if (IS_ERR(dev)) {
		root_device_unregister(faux_root);
		bus_unregister(&faux_bus);
	}

	return dev;
}

void tdx_host_device_destroy(struct device *dev)
{
	device_unregister(dev);
	root_device_unregister(faux_root);
	bus_unregister(&faux_bus);
}

#endif
