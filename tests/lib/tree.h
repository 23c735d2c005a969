/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TREE_H
#define TREE_H

#include <stddef.h>

/*
 * A directory of its own for a test, which stands for a machine's root. All functions
 * abort the program on an error: a test can do nothing without its files.
 */
struct tree {
	int fd;
	char path[64];
};

void tree_new(struct tree *ret);
void tree_remove(struct tree *tree);
/* Write a file below the tree and make the directories that it needs. */
void tree_put(const struct tree *tree, const char *path, const char *text);
void tree_put_bytes(const struct tree *tree, const char *path, const void *bytes,
		    size_t count);
/* Remove one file, or one empty directory, if it is there. */
void tree_drop(const struct tree *tree, const char *path);

/* Of the module that tree_put_host() shows. */
#define TREE_MRSEAM                                        \
	"5b38e33a6487958b72c3c12a938eaa5e3fd4510c51aeeab5" \
	"8c7d5ecee41d7c436489d6c8e4f92f160b7cad34207b00c1"

/*
 * Files as a live TDX host shows them: 1.5.06, P-SEAMLDR 1.5.00, 12 updates left, 4 CPUs
 * of 0xC06F2 in one socket, with the files of our kernel piece.
 */
void tree_put_host(const struct tree *tree);

#endif
