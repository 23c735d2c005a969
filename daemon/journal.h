/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <syslog.h>

#include "job.h"
#include "util.h"

/*
 * Milestones, as 128 bits in hex. systemd/tdxupd.catalog says of each what happened, what
 * it means for the TDs and what to do. They never change.
 */
#define MESSAGE_UPDATED         "714d0992b8124e3390ec5e064c3e74cc"
#define MESSAGE_WAITING         "1e6cf3da824241578a47445b1dcd386f"
#define MESSAGE_COMMITTING      "c5a77f6f37634803a30658ac87f4c77d"
#define MESSAGE_BUSY            "8d27fc379c4a4088b17987f8c68d620d"
#define MESSAGE_FAILED          "087514c58f344021b14197655e999487"
#define MESSAGE_CANCELLED       "71904259a5ff4cb3b18436eb78f4cb72"
#define MESSAGE_EXPIRED         "da5d7d72ae2a4f819368042bba025db5"
#define MESSAGE_LOST            "9143fd47d0fc4f2292e5ee0afe7bdf54"
#define MESSAGE_UNKNOWN         "9b6d5e21a7eb400ebf180ca8d8018ad4"
#define MESSAGE_MODULE_CHANGED  "c4d8c329b2854a6a967561bf0ecf516c"
#define MESSAGE_AVAILABLE       "4794beb1c1d949cfabe2eea09d89867d"
#define MESSAGE_RECOVERED       "e3ee0829c9124b43be6a767b69e3d1c1"
#define MESSAGE_HELD            "324d1bad303046df81d812fba5bc78c7"
#define MESSAGE_PINNED          "9609c2e5edc4490a80429d4c34831fd2"
#define MESSAGE_CONFIG_REJECTED "249ac9b874f442f4afbf81e3339c1bcb"
#define MESSAGE_HISTORY_DAMAGED "fac429ae03ba47ef9848e454d6f004e6"
#define MESSAGE_HISTORY_LINE    "3b795bd44ae6424d9e79854e342a5792"
#define MESSAGE_LEASE_EXPIRED   "373aa59934d9c726553a8e0f70d517e3"
#define MESSAGE_SUSPECT         "e51170e3e36000221f360d0e3e055b53"
#define MESSAGE_NO_DRIVER       "3d229fd8f27747839cff29a45c7fe99a"

/*
 * One line to the journal; to stderr where that is not the journal, so that a daemon run
 * by hand is heard. @message_id may be NULL.
 */
void journal_say(int priority, const char *message_id, const char *format, ...)
	_printf_(3, 4);
/* The same of a module that is or could be another one, with both versions as fields. */
void journal_say_module(int priority, const char *message_id, const char *from,
			const char *to, const char *format, ...) _printf_(5, 6);
/* Only to the journal from now on: whoever runs this speaks for itself. */
void journal_be_silent(void);
/* A job went from @before to its state. */
void journal_say_job(const struct job *job, enum job_state before);

struct history_head;
/* To the journal alone: what the last line of the history is. */
void journal_say_head(const struct history_head *head);

#endif
