/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORM_H
#define FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "pack.h"

/*
 * The forms in which a module comes: a container, a module beside its SIGSTRUCT, either
 * of them compressed, or an archive with one module. All end as the bytes of a container.
 */

/*
 * The name of the SIGSTRUCT that belongs to a module of this name, one candidate after
 * the other: "x.so" has "x.so.sigstruct", "x.bin" has "x.sigstruct". @i counts from 0.
 * Return: newly allocated, free() it; NULL where there is no further one or no memory.
 */
char *form_get_partner(const char *name, size_t i);
/* "x.sigstruct", which is a part of an image and none by itself. */
bool form_is_sigstruct(const char *name);

/* The one module of an archive. Return: 0; -EBADMSG with @ret_why; -ENOMEM. */
int form_from_pack(const struct pack *pack, uint8_t **ret, size_t *ret_count,
		   char **ret_why);
/* Of bytes without a name: what they are is tried. Return: as above; -EOPNOTSUPP. */
int form_from_bytes(const uint8_t *bytes, size_t count, uint8_t **ret, size_t *ret_count,
		    char **ret_why);
int form_join(const uint8_t *module, size_t module_count, const uint8_t *sigstruct,
	      size_t sigstruct_count, uint8_t **ret, size_t *ret_count, char **ret_why);

/*
 * What was opened of a file of the images directory: the file itself and, of a pair, its
 * SIGSTRUCT.
 */
struct form {
	int fd;
	int partner_fd; /* -1: none */
	struct stat st;
	struct stat partner_st;
	char *name; /* of the file, without directory */
	char *partner_name;
};

/*
 * Open @name in @dir_fd. @io_flags: enum io_flags. Return: 0, form_done() it; an errno of
 * io_open_file_in().
 */
int form_open(int dir_fd, const char *name, unsigned io_flags, struct form *ret);
void form_done(struct form *form);
/* Is it a module by its name, "x.so" or "x.bin", and nothing lies beside it? */
bool form_is_bare(const struct form *form);
/*
 * Read it as a container's bytes; of what is no module, the bytes as they are, unpacked.
 * Return: 0; -EBADMSG, -EFBIG, -EOPNOTSUPP with @ret_why (may be NULL), a few words,
 * free() it; another errno of reading.
 */
int form_read(const struct form *form, uint8_t **ret, size_t *ret_count, char **ret_why);

#endif
