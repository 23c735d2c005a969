// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How many TDs there are at all. None is exact: then none is being built. Any number
 * above tells nothing of builds. The kernel wakes nobody when the count falls, so that is
 * seen when somebody looks.
 */
#include <errno.h>
#include <stdio.h>

#include "population.h"
#include "watch.h"

struct watch_population {
	struct watch base;
	struct population population;
	struct gate_blocker hit;
};

static struct watch_population *from_base(struct watch *watch)
{
	return (struct watch_population *)watch; /* the head comes first */
}

static int population_arm(struct watch *watch, sd_event *event)
{
	(void)watch;
	(void)event;
	return 0;
}

static void population_say(struct watch *watch, struct gate_source *ret)
{
	struct watch_population *mine = from_base(watch);
	uint64_t count;
	int r = population_read_number(&mine->population, &count);

	/* Any other number opens nothing, however low it is. */
	if (r == 0 && count == 0)
		r = population_check(&mine->population);
	if (r == 0 && count == 0) {
		ret->state = GATE_OPEN;
		ret->confidence = GATE_EXACT;
	} else if (r == 0) {
		watch_say_unknown(ret, "%llu TD%s, under build or not",
				  (unsigned long long)count, count == 1 ? "" : "s");
	} else {
		watch_say_unknown(ret, "%s", population_strerror(r));
	}
	ret->has_tds = r == 0;
	ret->tds = r == 0 ? count : 0;
}

/* What is there now was not at the last look; what came and went hurts nobody. */
static size_t population_list_overlap(struct watch *watch, uint64_t from_usec,
				      uint64_t to_usec, const struct gate_blocker **ret)
{
	struct watch_population *mine = from_base(watch);
	struct gate_blocker *hit = &mine->hit;
	uint64_t count;
	int r;

	(void)to_usec;
	if (!watch->is_relied_on)
		return 0;
	r = population_read_again(&mine->population, &count);
	if (r == 0 && count == 0)
		return 0;
	*hit = (struct gate_blocker){ .since_usec = from_usec };
	if (r == 0)
		snprintf(hit->who, sizeof(hit->who),
			 "%llu TD%s created since the last look",
			 (unsigned long long)count, count == 1 ? "" : "s");
	else
		snprintf(hit->who, sizeof(hit->who),
			 "cannot be excluded: TDs can no longer be counted");
	*ret = hit;
	return 1;
}

static void population_free(struct watch *watch)
{
	struct watch_population *mine = from_base(watch);

	population_done(&mine->population);
	free(mine);
}

static const struct watch_ops population_ops = {
	.name = "population",
	.is_fallback = true,
	.counts_tds = true,
	.arm = population_arm,
	.read = population_say,
	.list_overlap = population_list_overlap,
	.free = population_free,
};

int watch_population_new(int root_fd, struct watch **ret)
{
	struct watch_population *mine = calloc(1, sizeof(*mine));

	if (!mine)
		return -ENOMEM;
	mine->base.ops = &population_ops;
	mine->base.arm_error = -ENODATA; /* until armed */
	mine->population = POPULATION(root_fd);
	*ret = &mine->base;
	return 0;
}
