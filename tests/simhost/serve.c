// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The files of a host as a file system, with sysfs's manners where they differ from an
 * ordinary file's: a read at offset 0 makes the text anew and later ones go on in it, a
 * write takes a page at most, nobody opens a file for what none may do with it, and poll
 * tells of a notification until the file is read again.
 */
#define FUSE_USE_VERSION 35

#include "serve.h"

#include <errno.h>
#include <fuse.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "util.h"

#define CAP_SYS_RAWIO_BIT 17
#define SYSFS_FILE_BYTES  4096

/*
 * struct handle - one open file
 * @text: of the read that began at offset 0
 * @event: the notification that this file's reader has seen; kernfs starts it at 0, so
 *	that polling before reading returns at once
 * @poll: whom to wake
 */
struct handle {
	struct handle *next;
	const struct file *file;
	char *text;
	size_t text_bytes;
	unsigned event;
	struct fuse_pollhandle *poll;
};

struct server {
	struct host *host;
	struct handle *handles;
	void (*ready)(void *userdata);
	void *userdata;
};

static struct server *get_server(void)
{
	return fuse_get_context()->private_data;
}

static struct handle *get_handle(struct fuse_file_info *info)
{
	return (struct handle *)(uintptr_t)info->fh;
}

static void lock(struct server *server)
{
	pthread_mutex_lock(&server->host->lock);
}

static void unlock(struct server *server)
{
	pthread_mutex_unlock(&server->host->lock);
}

static void wake_pollers(void *userdata)
{
	struct server *server = userdata;

	for (struct handle *h = server->handles; h; h = h->next) {
		if (!h->poll)
			continue;
		fuse_notify_poll(h->poll);
		fuse_pollhandle_destroy(h->poll);
		h->poll = NULL;
	}
}

static uint64_t find_delay(const struct host *host, const struct file *file)
{
	const char *name = strrchr(file->path, '/') + 1;
	uint64_t nsec = 0;

	for (struct host_delay *delay = host->delays; delay; delay = delay->next)
		if (strcmp(delay->file, name) == 0)
			nsec = delay->nsec;

	return nsec;
}

/* An injected delay of this file, spent without the lock. */
static void linger(struct server *server, const struct file *file)
{
	struct host *host = server->host;
	uint64_t nsec;

	while ((nsec = find_delay(host, file)) == HOST_HANGS && !host->is_stopping)
		pthread_cond_wait(&host->changed, &host->lock);

	if (nsec && nsec != HOST_HANGS && nsec != HOST_DENIES) {
		unlock(server);
		host_sleep(nsec);
		lock(server);
	}
}

/* capable(CAP_SYS_RAWIO) of the caller; a caller that is gone may nothing. */
static bool has_rawio(void)
{
	_cleanup_(cleanup_fclose)
	FILE *status = NULL;
	char path[64], line[256];
	unsigned long long capabilities;

	snprintf(path, sizeof(path), "/proc/%d/status", fuse_get_context()->pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &capabilities) == 1)
			return capabilities >> CAP_SYS_RAWIO_BIT & 1;

	return false;
}

static void *do_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	struct server *server = fuse_get_context()->private_data;

	(void)connection;
	/* Files come and go with the host's state; nothing may be remembered. */
	config->entry_timeout = 0;
	config->attr_timeout = 0;
	config->negative_timeout = 0;
	config->direct_io = 1;
	config->nullpath_ok = 0;

	return server;
}

static int do_getattr(const char *path, struct stat *ret, struct fuse_file_info *info)
{
	struct server *server = get_server();
	const struct file *file;
	bool is_dir;

	(void)info;
	lock(server);
	file = files_find(server->host, path + 1);
	is_dir = !file && files_is_dir(server->host, path + 1);
	unlock(server);

	memset(ret, 0, sizeof(*ret));
	ret->st_nlink = 1;
	if (file) {
		ret->st_mode = file->mode | (file->target ? S_IFLNK : S_IFREG);
		ret->st_size = file->target  ? (off_t)strlen(file->target)
			       : file->write ? 0
					     : SYSFS_FILE_BYTES;
		return 0;
	}
	ret->st_mode = S_IFDIR | 0755;
	ret->st_nlink = 2;

	return is_dir ? 0 : -ENOENT;
}

static int do_readlink(const char *path, char *ret, size_t size)
{
	struct server *server = get_server();
	const struct file *file;

	lock(server);
	file = files_find(server->host, path + 1);
	unlock(server);
	if (!file || !file->target)
		return -EINVAL;

	snprintf(ret, size, "%s", file->target);
	return 0;
}

struct listing {
	void *buffer;
	fuse_fill_dir_t fill;
};

static void fill_name(void *userdata, const char *name)
{
	struct listing *listing = userdata;

	listing->fill(listing->buffer, name, NULL, 0, 0);
}

static int do_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	struct server *server = get_server();
	struct listing listing = { buffer, fill };

	(void)offset;
	(void)info;
	(void)flags;
	fill_name(&listing, ".");
	fill_name(&listing, "..");
	lock(server);
	files_list(server->host, path + 1, fill_name, &listing);
	unlock(server);

	return 0;
}

/* kernfs_fop_open(): root too is refused what the mode gives to nobody. */
static int check_access(const struct file *file, int flags)
{
	int access = flags & O_ACCMODE;

	if (access != O_WRONLY && !(file->mode & 0444))
		return -EACCES;
	if (access != O_RDONLY && !(file->mode & 0222))
		return -EACCES;

	return 0;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
	struct server *server = get_server();
	struct handle *handle;
	int error;

	lock(server);
	handle = calloc(1, sizeof(*handle));
	if (handle)
		handle->file = files_find(server->host, path + 1);
	error = !handle         ? -ENOMEM
		: !handle->file ? -ENOENT
				: check_access(handle->file, info->flags);
	if (error) {
		free(handle);
	} else {
		handle->next = server->handles;
		server->handles = handle;
		info->fh = (uintptr_t)handle;
		info->direct_io = 1;
	}
	unlock(server);

	return error;
}

static int do_release(const char *path, struct fuse_file_info *info)
{
	struct server *server = get_server();
	struct handle *handle = get_handle(info), **link;

	(void)path;
	lock(server);
	for (link = &server->handles; *link != handle; link = &(*link)->next)
		;
	*link = handle->next;
	if (handle->poll)
		fuse_pollhandle_destroy(handle->poll);
	free(handle->text);
	free(handle);
	unlock(server);

	return 0;
}

static int read_text(struct server *server, struct handle *handle, char *ret,
		     size_t count, size_t offset)
{
	int error = 0;

	if (!offset || !handle->text) {
		free(handle->text);
		handle->text = NULL;
		if (handle->file->event)
			handle->event = handle->file->event(server->host);
		error = files_show(server->host, handle->file, &handle->text,
				   &handle->text_bytes);
	}
	if (error)
		return error;
	if (offset >= handle->text_bytes)
		return 0;

	if (count > handle->text_bytes - offset)
		count = handle->text_bytes - offset;
	memcpy(ret, handle->text + offset, count);

	return (int)count;
}

/* kernfs_get_active(): a file that was removed answers nobody who still has it open. */
static bool is_gone(const struct server *server, const struct handle *handle)
{
	return files_find(server->host, handle->file->path) != handle->file;
}

static int do_read(const char *path, char *ret, size_t count, off_t offset,
		   struct fuse_file_info *info)
{
	struct server *server = get_server();
	struct handle *handle = get_handle(info);
	int result;

	(void)path;
	lock(server);
	linger(server, handle->file);
	server->host->reader_pid = fuse_get_context()->pid;
	server->host->reader_file = (uintptr_t)handle;
	if (is_gone(server, handle))
		result = -ENODEV;
	else if (find_delay(server->host, handle->file) == HOST_DENIES)
		result = -ENFILE;
	else if (handle->file->read)
		result =
			(int)handle->file->read(server->host, ret, count, (size_t)offset);
	else
		result = read_text(server, handle, ret, count, (size_t)offset);
	unlock(server);

	return result;
}

static int do_write(const char *path, const char *bytes, size_t count, off_t offset,
		    struct fuse_file_info *info)
{
	struct server *server = get_server();
	struct handle *handle = get_handle(info);
	int result;

	(void)path;
	if (handle->file->needs_rawio && !has_rawio())
		return -EPERM;

	lock(server);
	linger(server, handle->file);
	result = -ENODEV;
	if (!is_gone(server, handle))
		result = (int)files_write(server->host, handle->file, bytes, count,
					  (size_t)offset);
	unlock(server);

	return result;
}

/* kernfs_generic_poll() */
static int do_poll(const char *path, struct fuse_file_info *info,
		   struct fuse_pollhandle *poll, unsigned *ret)
{
	struct server *server = get_server();
	struct handle *handle = get_handle(info);

	(void)path;
	lock(server);
	if (poll) {
		if (handle->poll)
			fuse_pollhandle_destroy(handle->poll);
		handle->poll = poll;
	}
	*ret = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	if (handle->file->has_input && !handle->file->has_input(server->host))
		*ret = 0;
	if (handle->file->event && handle->event != handle->file->event(server->host))
		*ret |= POLLERR | POLLPRI;
	unlock(server);

	return 0;
}

/* O_TRUNC of a shell's `>`: sysfs takes no notice. */
static int do_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	(void)path;
	(void)size;
	(void)info;
	return 0;
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)path;
	(void)mode;
	(void)info;
	return -EACCES;
}

/* A tracing instance is made and removed as a directory; nothing else is. */
static int do_mkdir(const char *path, mode_t mode)
{
	struct server *server = get_server();
	int error = -EPERM;

	(void)mode;
	lock(server);
	if (server->host->tracing.is_there && strcmp(path, "/" TRACING_INSTANCE) == 0)
		error = tracing_make_instance(&server->host->tracing);
	unlock(server);

	return error;
}

static int do_rmdir(const char *path)
{
	struct server *server = get_server();
	int error = -EPERM;

	lock(server);
	if (server->host->tracing.is_there && strcmp(path, "/" TRACING_INSTANCE) == 0)
		error = tracing_remove_instance(&server->host->tracing);
	unlock(server);

	return error;
}

static const struct fuse_operations operations = {
	.init = do_init,
	.getattr = do_getattr,
	.readlink = do_readlink,
	.readdir = do_readdir,
	.open = do_open,
	.release = do_release,
	.read = do_read,
	.write = do_write,
	.poll = do_poll,
	.truncate = do_truncate,
	.create = do_create,
	.mkdir = do_mkdir,
	.rmdir = do_rmdir,
};

static int serve(struct fuse *fuse, struct server *server, const char *mountpoint)
{
	struct fuse_loop_config config = { .clone_fd = 0, .max_idle_threads = 4 };
	int error;

	if (fuse_mount(fuse, mountpoint))
		return -EIO;

	server->host->wake_pollers = wake_pollers;
	server->host->userdata = server;
	server->ready(server->userdata);
	error = fuse_loop_mt(fuse, &config);
	lock(server);
	server->host->wake_pollers = NULL;
	unlock(server);
	fuse_unmount(fuse);

	return error < 0 ? error : 0;
}

int fuse_serve(struct host *host, const char *mountpoint, void (*ready)(void *userdata),
	       void *userdata)
{
	struct server server = { .host = host, .ready = ready, .userdata = userdata };
	char *argv[] = { (char[]){ "simhost" },
			 (char[]){ "-odefault_permissions,allow_other,fsname=simhost" },
			 NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, argv);
	struct fuse *fuse = fuse_new(&args, &operations, sizeof(operations), &server);
	int error;

	fuse_opt_free_args(&args);
	if (!fuse)
		return -EINVAL;
	error = serve(fuse, &server, mountpoint);
	fuse_destroy(fuse);

	return error;
}
