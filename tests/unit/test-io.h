/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of io work in: *state is a tree with an empty directory `images`. */
#ifndef TEST_IO_H
#define TEST_IO_H

#include <sys/stat.h>

#include "test.h"
#include "tree.h"

static inline int set_up_io(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	assert_non_null(tree);
	tree_new(tree);
	assert_int_equal(mkdirat(tree->fd, "images", 0755), 0);
	*state = tree;
	return 0;
}

static inline int tear_down_io(void **state)
{
	tree_remove(*state);
	free(*state);
	return 0;
}

#endif
