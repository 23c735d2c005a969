/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDX_HOST_DEVICE_H
#define TDX_HOST_DEVICE_H

#include <linux/device.h>

struct device *tdx_host_device_create(const struct attribute_group **groups);
void tdx_host_device_destroy(struct device *dev);

#endif
