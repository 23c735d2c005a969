// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program of somebody else: which image would this machine load next, and why not the
 * others?
 *
 *   cc example.c $(pkg-config --cflags --libs libtdxupd)
 *   ./a.out [ROOT [IMAGES]]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tdxupd.h>

static void print_report(const struct tdxupd_report *report)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		char *text = tdxupd_verdict_format(tdxupd_report_get(report, i));

		printf("    %s\n", text ? text : "out of memory");
		free(text);
	}
}

static void print_plan(const struct tdxupd_plan *plan)
{
	char version[TDXUPD_VERSION_TEXT_BYTES];

	printf("%s", tdxupd_plan_result_to_string(plan->result));
	if (plan->result != TDXUPD_PLAN_BLOCKED)
		printf(" %s", tdxupd_version_format(&plan->to, version));
	printf("\n");
	print_report(plan->host_report);
	for (size_t i = 0; i < plan->candidate_count; i++) {
		const struct tdxupd_candidate *candidate = &plan->candidates[i];

		printf("  %s: %s\n", candidate->entry->name,
		       tdxupd_candidate_state_to_string(candidate->state));
		print_report(candidate->report);
	}
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return 1;
}

int main(int argc, char **argv)
{
	const char *root = argc > 1 ? argv[1] : "/";
	const char *images = argc > 2 ? argv[2] : "usr/lib/firmware/intel/tdx-module";
	struct tdxupd_catalog *catalog = NULL;
	struct tdxupd_policy *policy = NULL;
	struct tdxupd_host *host = NULL;
	struct tdxupd_plan *plan = NULL;
	char *why = NULL;
	int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	r = tdxupd_policy_new(&policy);
	if (r == 0)
		r = tdxupd_host_read(root_fd, &host);
	if (r == 0)
		r = tdxupd_catalog_read(root_fd, images, NULL, policy, 0, &catalog, &why);
	if (r == 0)
		r = tdxupd_plan_new(host, catalog, policy, NULL, &plan);
	if (r == 0)
		print_plan(plan);
	else
		r = complain(why ? why : root, r);
	free(why);
	tdxupd_plan_free(plan);
	tdxupd_catalog_free(catalog);
	tdxupd_host_free(host);
	tdxupd_policy_free(policy);
	if (root_fd >= 0)
		close(root_fd);
	return r;
}
