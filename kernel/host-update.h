/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDX_HOST_UPDATE_H
#define TDX_HOST_UPDATE_H

#include <linux/device.h>
#include <linux/sysfs.h>

/* `image` and `update` of the device. */
extern const struct attribute_group tdx_host_trigger_group;
void tdx_host_drop_image(void);

/* mainline's node, below @dev. */
int tdx_host_upload_register(struct device *dev);
void tdx_host_upload_unregister(void);

#endif
