// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "reader.h"
#include "test.h"

/* One who asks, and what came of it. */
struct asker {
	const char *text; /* the answer; NULL to hang */
	int returns;
	unsigned answers;
	int r;
	char got[64];
	unsigned order;
};

static unsigned order;

static int run(void *userdata, struct buffer *out)
{
	const struct asker *asker = userdata;

	if (!asker->text)
		for (;;)
			pause();
	buffer_put(out, asker->text, strlen(asker->text));
	return asker->returns;
}

static void on_done(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	struct asker *asker = userdata;

	asker->answers++;
	asker->r = r;
	asker->order = ++order;
	assert_true(count < sizeof(asker->got));
	if (count)
		memcpy(asker->got, bytes, count);
	asker->got[count] = '\0';
}

static void add(struct reader *reader, struct asker *asker, const void *share,
		bool is_urgent)
{
	const struct reader_request request = {
		.run = run,
		.done = on_done,
		.userdata = asker,
		.share = share,
		.is_urgent = is_urgent,
		.fds = { -1, -1 },
	};

	assert_int_equal(reader_add(reader, &request), 0);
	assert_int_equal(asker->answers, 0);
}

static void run_until(sd_event *event, const struct asker *asker)
{
	while (!asker->answers)
		assert_true(sd_event_run(event, UINT64_MAX) >= 0);
}

struct scene {
	sd_event *event;
	struct reader *reader;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	order = 0;
	assert_true(sd_event_new(&scene->event) >= 0);
	assert_int_equal(reader_new(scene->event, &scene->reader), 0);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	reader_free(scene->reader);
	sd_event_unref(scene->event);
	free(scene);
	return 0;
}

static void test_answers_come_back(void **state)
{
	struct scene *scene = *state;
	struct asker one = { .text = "one" }, two = { .text = "", .returns = -ENOENT };

	add(scene->reader, &one, NULL, false);
	add(scene->reader, &two, NULL, false);
	run_until(scene->event, &two);
	assert_int_equal(one.answers, 1);
	assert_int_equal(one.r, 0);
	assert_string_equal(one.got, "one");
	assert_int_equal(two.r, -ENOENT);
	assert_int_equal(two.order, 2);
}

/* However many ask for the same, it is read once; who asks later is told of later. */
static void test_the_same_is_read_once(void **state)
{
	struct scene *scene = *state;
	struct asker first = { .text = "first" }, same = { .text = "not this" };
	struct asker other = { .text = "other" }, urgent = { .text = "urgent" };

	add(scene->reader, &first, "a", false);
	add(scene->reader, &other, NULL, false);
	add(scene->reader, &same, "a", false);
	add(scene->reader, &urgent, NULL, true);
	run_until(scene->event, &other);
	assert_int_equal(urgent.order, 1);
	assert_int_equal(first.order, 2);
	assert_int_equal(same.order, 3);
	assert_string_equal(same.got, "first");
	assert_int_equal(other.order, 4);
}

static void test_who_left_is_not_called(void **state)
{
	struct scene *scene = *state;
	struct asker hangs = { 0 }, gone = { .text = "gone" }, last = { .text = "last" };

	add(scene->reader, &hangs, NULL, false);
	add(scene->reader, &gone, NULL, false);
	add(scene->reader, &last, NULL, false);
	assert_true(sd_event_run(scene->event, UINT64_MAX) > 0);
	reader_drop(scene->reader, &gone);
	reader_drop(scene->reader, &hangs);
	run_until(scene->event, &last);
	assert_int_equal(hangs.answers + gone.answers, 0);
}

/* Nothing is read meanwhile, and what was under way is read from its beginning. */
static void test_a_pause(void **state)
{
	struct scene *scene = *state;
	struct asker asker = { 0 };

	add(scene->reader, &asker, NULL, false);
	assert_true(sd_event_run(scene->event, UINT64_MAX) > 0);
	reader_pause(scene->reader, true);
	asker.text = "now";
	while (sd_event_run(scene->event, 200000) > 0)
		;
	assert_int_equal(asker.answers, 0);
	reader_pause(scene->reader, false);
	run_until(scene->event, &asker);
	assert_string_equal(asker.got, "now");
}

static int run_crash(void *userdata, struct buffer *out)
{
	(void)userdata, (void)out;
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void test_a_crash_is_told(void **state)
{
	struct scene *scene = *state;
	struct asker asker = { 0 };
	const struct reader_request request = {
		.run = run_crash, .done = on_done, .userdata = &asker, .fds = { -1, -1 }
	};

	assert_int_equal(reader_add(scene->reader, &request), 0);
	run_until(scene->event, &asker);
	assert_int_equal(asker.r, WORKER_CRASHED);
}

/* What hangs on the daemon's descriptors does not hang on a worker's. */
static int run_list_fds(void *userdata, struct buffer *out)
{
	const int *fds = userdata;

	(void)fds;
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			buffer_print(out, "%d ", fd);
	return 0;
}

static void test_it_has_only_its_descriptors(void **state)
{
	struct scene *scene = *state;
	struct asker asker = { 0 };
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int given = fcntl(other, F_DUPFD_CLOEXEC, 200);
	const struct reader_request request = { .run = run_list_fds,
						.done = on_done,
						.userdata = &asker,
						.fds = { given, -1 } };
	unsigned count = 0;
	bool has_given = false;

	assert_true(given >= 200);
	assert_int_equal(reader_add(scene->reader, &request), 0);
	run_until(scene->event, &asker);
	assert_int_equal(asker.r, 0);
	for (char *p = asker.got, *end; *p; p = end + (*end == ' ')) {
		long fd = strtol(p, &end, 10);

		if (fd <= 2)
			continue;
		count++;
		has_given |= fd == given;
		assert_true(fd != other);
	}
	assert_true(has_given);
	assert_int_equal(count, 2); /* the other is its answer's */
	close(given);
	close(other);
}

static int run_work(void *userdata, struct buffer *out)
{
	volatile unsigned long turns = 0;

	(void)userdata;
	for (int i = 0; i < 3; i++) {
		while (++turns % 100000000)
			;
		usleep(1000);
	}
	buffer_put(out, "done", 4);
	return 0;
}

static void test_it_hangs(void **state)
{
	struct scene *scene = *state;
	struct asker hangs = { 0 }, works = { 0 };
	struct worker_count *count = worker_count_new();
	struct worker_task task = { .run = run,
				    .done = on_done,
				    .userdata = &hangs,
				    .patience_usec = 100000,
				    .count = count };
	struct worker *worker;

	assert_int_equal(worker_start(scene->event, &task, &worker), 0);
	assert_int_equal(count->running, 1);
	run_until(scene->event, &hangs);
	assert_int_equal(hangs.r, WORKER_HUNG);
	/* One that gets on is let be, however long it takes. */
	task.run = run_work;
	task.userdata = &works;
	assert_int_equal(worker_start(scene->event, &task, &worker), 0);
	run_until(scene->event, &works);
	assert_int_equal(works.r, 0);
	assert_string_equal(works.got, "done");
	while (count->running)
		assert_true(sd_event_run(scene->event, UINT64_MAX) >= 0);
	worker_count_unref(count);
}

static void test_alone(void **state)
{
	struct asker asker = { .text = "alone" };
	const struct reader_request request = {
		.run = run, .done = on_done, .userdata = &asker, .fds = { -1, -1 }
	};

	(void)state;
	assert_int_equal(reader_run_alone(&request), 0);
	assert_string_equal(asker.got, "alone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_same_is_read_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_who_left_is_not_called, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_crash_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_has_only_its_descriptors, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_it_hangs, setup, teardown),
		cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
