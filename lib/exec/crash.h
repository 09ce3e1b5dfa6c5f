/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Test builds (configure --enable-crash-points) end at a numbered point of a run:
 * DAXD_CRASH_AT=N counts the calls from 1, DAXD_CRASH_HOW=kill sends SIGKILL to this process,
 * DAXD_CRASH_HOW=power switches off the test machine (isa-debug-exit) in the same instruction.
 */
#ifndef DAXD_EXEC_CRASH_H
#define DAXD_EXEC_CRASH_H

#ifdef CRASH_POINTS
void crash_point(void);
#else
static inline void crash_point(void)
{
}
#endif

#endif
