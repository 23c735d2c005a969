/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * How many of a thing there may be, so that no user shuts others out, however many
 * connections they make.
 * @per_sender: of one connection, whose program may be wrong
 * @per_user: of one user who is not trusted
 * @all: in all
 * @reserve: of those, for the trusted alone
 */
struct quota {
	size_t per_sender;
	size_t per_user;
	size_t all;
	size_t reserve;
};

/* What there is already, from the point of view of who asks for one more. */
struct quota_use {
	size_t sender;
	size_t user;
	size_t all;
};
void quota_count(struct quota_use *use, bool is_same_sender, bool is_same_user);

/* Root, and our own user: they need no question to polkit. */
bool quota_is_trusted(uid_t uid);

/* Return: 0 there may be one more; -EDQUOT this connection or user has as many as one
 * may; -ENOBUFS there is no room. */
int quota_check(const struct quota *quota, bool is_trusted, const struct quota_use *use);

#endif
