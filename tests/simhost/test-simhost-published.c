// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Intel's published images on the simulated host, in one process: the machine takes their
 * signatures, and knows by their measurement what they are.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "files.h"
#include "realimage.h"
#include "tdxupd.h"
#include "util.h"

static int images_fd;

/* The bytes of a published file in the container that Linux takes. */
static uint8_t *read_image(const char *name, size_t *ret_count)
{
	_cleanup_(cleanup_close)
	int fd = openat(images_fd, name, O_RDONLY | O_CLOEXEC);
	struct tdxupd_report *report;
	struct tdxupd_image *image;
	struct stat status;
	uint8_t *bytes;

	assert_int_equal(fstat(fd, &status), 0);
	bytes = malloc((size_t)status.st_size);
	assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(
		tdxupd_image_parse(bytes, (size_t)status.st_size, report, &image), 0);
	free(bytes);
	assert_int_equal(tdxupd_image_convert(image, TDXUPD_CONTAINER_KERNEL, &bytes), 0);
	tdxupd_image_free(image);
	tdxupd_report_free(report);

	*ret_count = (size_t)status.st_size;
	return bytes;
}

static void tell(struct host *host, const char *line)
{
	char answer[1024];

	if (tdx_model_command(host->model, line, answer, sizeof(answer)))
		fail_msg("%s: %s", line, answer);
}

/* fw_upload without threads: begin, data, commit, and the worker's work. */
static void upload(struct host *host, const char *name)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count;

	bytes = read_image(name, &count);
	assert_int_equal(upload_write_loading(&host->upload, "1"), 0);
	assert_int_equal(upload_write_data(&host->upload, bytes, count, 0),
			 (ssize_t)count);
	assert_int_equal(upload_write_loading(&host->upload, "0"), 0);
	host_upload_run(host);
}

static void assert_shows(struct host *host, const char *path, const char *text)
{
	_cleanup_(cleanup_free)
	char *found = NULL;
	const struct file *file = files_find(host, path);
	size_t bytes;

	assert_non_null(file);
	if (files_show(host, file, &found, &bytes)) {
		char answer[1024];

		tdx_model_command(host->model, "status", answer, sizeof(answer));
		fail_msg("%s cannot be read:\n%s", path, answer);
	}
	assert_string_equal(found, text);
}

static void test_takes_every_published_image(void **state)
{
	static const struct {
		const char *boot, *cpu, *name, *version, *features0;
	} rows[] = {
		{ "boot version=1.5.01 svn=0x0104", "set cpu=0x806f8",
		  "tdx_module_1.5.01.blob", "1.5.01\n", "0x00000000000f0fbf\n" },
		{ "boot version=1.5.01 svn=0x0104", "set cpu=0xa06f1",
		  "tdx_module_1.5.05.blob", "1.5.05\n", "0x00000000061f0fbf\n" },
		{ "boot version=1.5.01 svn=0x0104", "set cpu=0xc06f2",
		  "tdx_module_1.5.06.blob", "1.5.06\n", "0x000000002e1f0fbf\n" },
		{ "boot version=1.5.06 svn=0x0106", "set cpu=0xc06f2,0x806f8",
		  "tdx_module_1.5.16.blob", "1.5.16\n", "0x000000226f3f0fbf\n" },
		{ "boot version=2.0.02 svn=0x0303", "set cpu=0xa06d1",
		  "tdx_module_2.0.02.blob", "2.0.02\n", "0x000000022e1f0fbf\n" },
		{ "boot version=2.0.02 svn=0x0303", "set cpu=0xa06e1",
		  "tdx_module_2.0.05.blob", "2.0.05\n", "0x000000226f3f0fbf\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *host;

		assert_int_equal(host_new(4, &host), 0);
		tell(host, rows[i].cpu);
		tell(host, rows[i].boot);
		upload(host, rows[i].name);
		assert_shows(host, "sys/devices/faux/tdx_host/version", rows[i].version);
		assert_shows(host, "sys/devices/faux/tdx_host/features0",
			     rows[i].features0);
		host_free(host);
	}
}

static void test_a_build_does_not_survive_the_real_update(void **state)
{
	char answer[1024];
	struct host *host;

	(void)state;
	assert_int_equal(host_new(4, &host), 0);
	host->kernel = HOST_MAINLINE;
	tell(host, "td build a manual");
	tell(host, "td step a extend");
	upload(host, "tdx_module_1.5.16.blob");
	tell(host, "td step a finalize");
	assert_int_equal(
		tdx_model_command(host->model, "td mrtd a", answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "\nwrong\n"));
	host_free(host);
}

static void test_the_wrong_series_loses_the_host(void **state)
{
	struct tdx_model_version version;
	struct host *host;

	(void)state;
	assert_int_equal(host_new(4, &host), 0);
	upload(host, "tdx_module_2.0.05.blob");
	assert_int_equal(tdx_model_version(host->model, &version), -ENXIO);
	host_free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_every_published_image),
		cmocka_unit_test(test_a_build_does_not_survive_the_real_update),
		cmocka_unit_test(test_the_wrong_series_loses_the_host),
	};

	images_fd = realimage_open_or_skip();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
