/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIFELINE_H
#define LIFELINE_H

#include <systemd/sd-event.h>

/*
 * What lasts for as long as somebody keeps a descriptor open, or runs: our end of a pipe
 * whose other end is theirs. All zero is none.
 */
struct lifeline {
	int fd;
	sd_event_source *source;
};

/*
 * @on_closed: called once, from the event loop, when the last copy of their end is gone;
 *	it or whoever it tells calls lifeline_close()
 * @ret_fd: their end: send it, then close it
 * Return: 0; a negative errno.
 */
int lifeline_open(struct lifeline *ret, sd_event *event, sd_event_io_handler_t on_closed,
		  void *userdata, int *ret_fd);
/* The same with our end of one that was opened by the daemon before this one; taken over
 * where it works. */
int lifeline_adopt(struct lifeline *ret, sd_event *event, int fd,
		   sd_event_io_handler_t on_closed, void *userdata);
/* Also none. Theirs then says that it hangs on nothing: poll(2) gives POLLERR. */
void lifeline_close(struct lifeline *lifeline);

#endif
