/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAILING_H
#define FAILING_H

/*
 * A program that links this has an allocator, and calls that make descriptors and
 * processes, which fail when they are told to; its libraries use them as well.
 */
enum failing_kind {
	FAILING_NOTHING,
	FAILING_MEMORY,      /* malloc(), calloc(), realloc(): ENOMEM */
	FAILING_DESCRIPTORS, /* open(), pipe(), socket() and all others: EMFILE */
	FAILING_PROCESSES,   /* fork(): EAGAIN */
};

/* From now on the @nth call of that kind, from 1, fails, and @count in all. */
void failing_arm(enum failing_kind kind, unsigned long nth, unsigned long count);
/* Return: how many calls of the kind there were. */
unsigned long failing_disarm(void);

#endif
