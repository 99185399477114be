"""Threads that share the work of a step: a library of its own, one for the process, started where it is first needed.

A step whose sizes make it worth it is divided into parts, whose number depends on these sizes alone, so that results
do not depend on how many threads there are. `split` runs the parts: the thread that calls it, and others that sleep
otherwise, take one after the other.
"""

from __future__ import annotations

import ctypes
import functools
import os

from tinygrad_cnn.lowering.c.compiler import library

MOST_PARTS = 16
WORTH = 40_000  # nanoseconds that a loop takes at least: waking a thread takes about 10,000
PART = 8_000  # and a part of it
MOST_SCRATCH = 1 << 23  # bytes, of all parts
MOST_THREADS = 256
VARIABLES = ("TINYGRAD_CNN_THREADS", "OMP_NUM_THREADS")


def parts_of(extent: int, nanoseconds: float, scratch: int) -> int:
    """Into how many parts a loop is divided, by its iterations, how long they take, and the bytes that a part needs."""
    if nanoseconds < WORTH:
        return 1
    return max(1, min(extent, MOST_PARTS, int(nanoseconds / PART), MOST_SCRATCH // max(scratch, 1)))


def thread_count() -> int:
    """How many threads a step may use: what the environment says, or one for each processor of this process.

    Raises ValueError if the environment has no number there.
    """
    for name in VARIABLES:
        if given := os.environ.get(name, "").strip():
            first = given.split(",")[0]  # OMP_NUM_THREADS has one number for each level of nesting
            if not first.isdecimal() or int(first) < 1:
                raise ValueError(f"compile: {name} is {given!r}; expected the number of threads, at least 1")
            return min(int(first), MOST_THREADS)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(processors or 1, MOST_THREADS)


def split_function(divided: bool) -> ctypes.c_void_p | None:
    """The address of `split`, for the segments of a program, if it has steps that are divided into parts.

    None where it has not, where there is one thread, or where there are no POSIX threads.
    """
    threads = thread_count()
    if not divided or threads == 1 or os.name != "posix":
        return None
    loaded = _loaded()
    loaded.set_threads(ctypes.c_long(threads))
    return ctypes.cast(loaded.split, ctypes.c_void_p)


@functools.lru_cache(maxsize=1)
def _loaded() -> ctypes.CDLL:
    loaded: ctypes.CDLL = library(SOURCE)
    return loaded


TYPES = """\
/* A part of a step, and what runs all parts: in several threads, or, where none is given, in this one. */
typedef void Task(long part, void **given);
typedef void Split(Task *task, long parts, void **given);

static void in_one_thread(Task *task, long parts, void **given)
{
    for (long part = 0; part < parts; part++) task(part, given);
}

"""

SOURCE = """\
/* Threads that share the parts of a task. Made by tinygrad_cnn. */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

typedef void Task(long part, void **given);

enum { SPINS = 2000 };  /* pauses before an idle thread sleeps: about as long as it takes to wake it */

static long threads = 1, started;  /* how many may work, the caller among them; how many others there are */
static atomic_flag busy = ATOMIC_FLAG_INIT;  /* one caller at a time has the threads, others work alone */
static atomic_flag claiming = ATOMIC_FLAG_INIT;  /* guards the job */
static struct { Task *task; void **given; long parts, next; } job;
static atomic_long running;  /* parts that were claimed and are not done */
static atomic_long jobs;  /* how many there were */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static atomic_long asleep;

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void wait_a_little(long *waited)  /* and let others run if it is not so little */
{
    if (++*waited % SPINS) pause_briefly(); else sched_yield();
}

/* Run what parts of the job are left. */
static void work(void)
{
    for (;;) {
        long waited = 0;
        while (atomic_flag_test_and_set_explicit(&claiming, memory_order_acquire)) wait_a_little(&waited);
        Task *task = job.task;
        void **given = job.given;
        const long part = job.next < job.parts ? job.next++ : -1;
        if (part >= 0) atomic_fetch_add_explicit(&running, 1, memory_order_relaxed);
        atomic_flag_clear_explicit(&claiming, memory_order_release);
        if (part < 0) return;
        task(part, given);
        atomic_fetch_sub_explicit(&running, 1, memory_order_release);
    }
}

static void *worker(void *unused)
{
    long seen = 0;
    for (;;) {
        for (long spins = 0; spins < SPINS && atomic_load(&jobs) == seen; spins++) pause_briefly();
        if (atomic_load(&jobs) == seen) {
            pthread_mutex_lock(&mutex);
            atomic_fetch_add(&asleep, 1);
            while (atomic_load(&jobs) == seen) pthread_cond_wait(&more, &mutex);
            atomic_fetch_sub(&asleep, 1);
            pthread_mutex_unlock(&mutex);
        }
        seen = atomic_load(&jobs);
        work();
    }
    return unused;
}

static void forget(void)  /* in a child process, which has none of the threads */
{
    started = 0;
    job.parts = job.next = 0;
    atomic_store(&running, 0);
    atomic_store(&asleep, 0);
    atomic_flag_clear(&busy);
    atomic_flag_clear(&claiming);
    pthread_mutex_init(&mutex, 0);
    pthread_cond_init(&more, 0);
}

static void start(long wanted)
{
    static int registered;
    sigset_t all, before;
    if (started >= wanted) return;
    if (!registered) registered = !pthread_atfork(0, 0, forget);
    if (!registered) return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  /* signals are for the threads of the program */
    for (; started < wanted; started++) {
        pthread_t thread;
        if (pthread_create(&thread, 0, worker, 0)) break;
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, 0);
}

void set_threads(long count)
{
    threads = count;
}

/* Run task(0, given), ..., task(parts - 1, given), and return when all are done. */
void split(Task *task, long parts, void **given)
{
    const long wanted = (threads < parts ? threads : parts) - 1;
    if (wanted < 1 || atomic_flag_test_and_set(&busy)) {
        for (long part = 0; part < parts; part++) task(part, given);
        return;
    }
    start(wanted);
    long waited = 0;
    while (atomic_flag_test_and_set_explicit(&claiming, memory_order_acquire)) wait_a_little(&waited);
    job.task = task;
    job.given = given;
    job.parts = parts;
    job.next = 0;
    atomic_flag_clear_explicit(&claiming, memory_order_release);
    atomic_fetch_add(&jobs, 1);
    if (atomic_load(&asleep)) {
        pthread_mutex_lock(&mutex);
        for (long k = 0; k < wanted; k++) pthread_cond_signal(&more);
        pthread_mutex_unlock(&mutex);
    }
    work();
    while (atomic_load_explicit(&running, memory_order_acquire)) wait_a_little(&waited);
    atomic_flag_clear(&busy);
}
"""
