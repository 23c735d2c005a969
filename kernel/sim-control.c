// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/tdx_host_sim/control: one command a write, its answer in the reads
 * that follow on the same descriptor:
 *
 *	exec 3<>control; echo "td list" >&3; cat <&3
 *
 * Every answer is read from its beginning; offsets mean nothing here.
 *
 * A write whose command fails has the command's errno, and its answer says why. The
 * language is that of tdx-model-command.c.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "sim.h"

#define LINE_BYTES_MAX 4096
#define ANSWER_BYTES   65536

/*
 * @lock: readers and writers may share a descriptor
 * @taken: what has been read of the answer
 */
struct session {
	struct mutex lock;
	loff_t taken;
	char answer[ANSWER_BYTES];
};

static struct dentry *control_dir;

static int control_open(struct inode *inode, struct file *file)
{
	struct session *session = kvzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return -ENOMEM;

	mutex_init(&session->lock);
	file->private_data = session;
	return stream_open(inode, file);
}

static int control_release(struct inode *inode, struct file *file)
{
	kvfree(file->private_data);
	return 0;
}

static ssize_t control_write(struct file *file, const char __user *data, size_t count,
			     loff_t *offset)
{
	struct session *session = file->private_data;
	char *line;
	int ret;

	if (count >= LINE_BYTES_MAX)
		return -EMSGSIZE;

	line = memdup_user_nul(data, count);
	if (IS_ERR(line))
		return PTR_ERR(line);

	mutex_lock(&session->lock);
	session->answer[0] = 0;
	session->taken = 0;
	ret = sim_command(strim(line), session->answer, sizeof(session->answer));
	mutex_unlock(&session->lock);

	kfree(line);
	return ret ?: count;
}

static ssize_t control_read(struct file *file, char __user *data, size_t count,
			    loff_t *offset)
{
	struct session *session = file->private_data;
	ssize_t ret;

	mutex_lock(&session->lock);
	ret = simple_read_from_buffer(data, count, &session->taken, session->answer,
				      strlen(session->answer));
	mutex_unlock(&session->lock);

	return ret;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.read = control_read,
	.write = control_write,
};

int sim_control_create(void)
{
	control_dir = debugfs_create_dir("tdx_host_sim", NULL);
	if (IS_ERR(control_dir))
		return PTR_ERR(control_dir);

	debugfs_create_file("control", 0600, control_dir, NULL, &control_fops);
	return 0;
}

void sim_control_remove(void)
{
	debugfs_remove_recursive(control_dir);
}
